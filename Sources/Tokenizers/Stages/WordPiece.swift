/// WordPiece: the longest token that begins the word, then the longest that continues it, and so on.
///
/// Tokens that continue a word carry a prefix (`##`) in the vocabulary. A word with a part that no token covers becomes
/// one unknown token, and so does a word longer than `longestWord` scalars.
/// Source: Schuster and Nakajima 2012; `models/wordpiece/mod.rs` of Hugging Face tokenizers.
struct WordPiece: TokenizerModel {
    let vocabulary: Vocabulary
    private let unknown: Int32
    private let longestWord: Int
    /// UTF-8 of the prefix of continuing tokens.
    private let prefix: [UInt8]
    private let prefixHash: VocabularyHash

    init(_ settings: JSONObject) throws(TokenizerError) {
        let vocabulary = try Self.readVocabulary(settings.required("vocab"))
        let unknownToken = try settings.string("unk_token")
        guard let unknown = vocabulary.id(of: unknownToken) else {
            throw TokenizerError(
                .invalid, "the unknown token '\(unknownToken)' is not in the vocabulary; fetch the file again")
        }
        // Absent in files from before tokenizers 0.8; these are the library's defaults.
        let prefixNode = settings.optional("continuing_subword_prefix")
        let prefix = try prefixNode?.string("model.continuing_subword_prefix") ?? "##"
        let longestWordNode = settings.optional("max_input_chars_per_word")
        let longestWord = try longestWordNode?.integer("model.max_input_chars_per_word") ?? 100
        self.vocabulary = vocabulary
        self.unknown = unknown
        self.longestWord = longestWord
        self.prefix = Array(prefix.utf8)
        prefixHash = Vocabulary.hash(self.prefix[...]).hash
    }

    private static func readVocabulary(_ node: JSONNode) throws(TokenizerError) -> Vocabulary {
        var vocabulary = Vocabulary(minimumCapacity: 1 << 15)
        try node.forEachMember("model.vocab") { (token, id) throws(TokenizerError) in
            try vocabulary.insert(token, id: id.integer("model.vocab"))
        }
        return vocabulary
    }

    func tokenize(_ word: Range<Int>, of text: AlignedText, into tokens: inout [ModelToken]) {
        guard word.count <= longestWord else {
            tokens.append(ModelToken(id: unknown, range: word))
            return
        }
        let firstToken = tokens.count
        var start = word.lowerBound
        while start < word.upperBound {
            guard let match = longestMatch(from: start, in: word, of: text.scalars) else {
                tokens.removeSubrange(firstToken...)
                tokens.append(ModelToken(id: unknown, range: word))
                return
            }
            tokens.append(match)
            start = match.range.upperBound
        }
    }

    /// The longest token that lies at `start` and ends within `word`.
    private func longestMatch(from start: Int, in word: Range<Int>, of scalars: [UInt32]) -> ModelToken? {
        let continues = start > word.lowerBound
        let limit = min(word.upperBound, start + vocabulary.longest)
        guard start < limit else { return nil }
        var hash = continues ? prefixHash : VocabularyHash()
        return withUnsafeTemporaryAllocation(of: VocabularyHash.self, capacity: limit - start) { hashes in
            for index in start..<limit {
                hash.add(scalars[index])
                hashes.initializeElement(at: index - start, to: hash)
            }
            for end in stride(from: limit, to: start, by: -1) {
                let id = vocabulary.find(hashes[end - 1 - start]) { candidate in
                    Self.matches(candidate, prefix: continues ? prefix : [], scalars, start..<end)
                }
                if let id { return ModelToken(id: id, range: start..<end) }
            }
            return nil
        }
    }

    /// True if the UTF-8 `token` is `prefix` followed by `scalars[range]`.
    private static func matches(
        _ token: ArraySlice<UInt8>, prefix: [UInt8], _ scalars: [UInt32], _ range: Range<Int>
    ) -> Bool {
        guard token.count >= prefix.count + range.count, token.starts(with: prefix) else { return false }
        var at = token.startIndex + prefix.count
        for index in range {
            guard at < token.endIndex, UTF8Text.next(token, &at) == scalars[index] else { return false }
        }
        return at == token.endIndex
    }
}
