/// A token that is found in the text as it stands, before the model sees any of it: `[MASK]`, `</s>`.
struct AddedToken: Sendable {
    var id: Int32
    /// UTF-8 of the token as the file has it.
    var text: ArraySlice<UInt8>
    /// The scalars to look for: those of the text, normalised if `isNormalized`.
    var content: [UInt32]
    /// UTF-8 of `content`: what the token decodes to, so that a decoder can undo what the normalizer did.
    var decoded: ArraySlice<UInt8>
    /// Left out when decoding without special tokens.
    var isSpecial: Bool
    /// Searched for in the normalised text instead of in the source.
    var isNormalized: Bool
    /// Found only where no word character touches it.
    var isSingleWord: Bool
    /// Takes the white space before it.
    var stripsLeft: Bool
    /// Takes the white space behind it.
    var stripsRight: Bool
}

/// The added tokens of a tokenizer.
struct AddedTokens: Sendable {
    /// Finds the tokens that are sought in the source text.
    let source: AddedTokenMatcher
    /// Finds those that are sought in the normalised text.
    let normalized: AddedTokenMatcher
    let byID: [Int32: AddedToken]

    /// Added tokens that the model's vocabulary lacks; they extend it.
    let extending: Int

    /// Reads `added_tokens`. Throws: `.invalid` where an id contradicts the vocabulary or another token.
    init(
        _ node: JSONNode?, vocabulary: Vocabulary, normalizer: any Normalizer
    ) throws(TokenizerError) {
        var tokens: [AddedToken] = []
        var byID: [Int32: AddedToken] = [:]
        // Keyed by bytes: as strings, canonically equivalent tokens would be equal.
        var texts: Set<ArraySlice<UInt8>> = []
        var extending = 0
        try node?.forEachElement("added_tokens") { (element) throws(TokenizerError) in
            let token = try Self.read(element.object("added_tokens"), normalizer)
            let text = String(decoding: token.text, as: UTF8.self)
            guard !text.isEmpty else { throw TokenizerError(.invalid, "added token \(token.id) is empty") }
            guard byID[token.id] == nil, texts.insert(token.text).inserted else {
                throw TokenizerError(.invalid, "the added token '\(text)' or its id \(token.id) occurs twice")
            }
            let known = vocabulary.id(of: token.text)
            guard known == token.id || known == nil && vocabulary.bytes(of: token.id) == nil else {
                throw TokenizerError(
                    .invalid,
                    "the added token '\(text)' has id \(token.id), but the vocabulary gives it, or the id, to another")
            }
            if known == nil { extending += 1 }
            byID[token.id] = token
            tokens.append(token)
        }
        source = AddedTokenMatcher(tokens.filter { !$0.isNormalized })
        normalized = AddedTokenMatcher(tokens.filter(\.isNormalized))
        self.byID = byID
        self.extending = extending
    }

    private static func read(
        _ settings: JSONObject, _ normalizer: any Normalizer
    ) throws(TokenizerError) -> AddedToken {
        let id = try settings.integer("id")
        guard 0..<Vocabulary.idLimit ~= id else {
            throw TokenizerError(.invalid, "an added token has id \(id), which is not in 0..<\(Vocabulary.idLimit)")
        }
        let text = try settings.string("content")
        let isNormalized = try settings.boolean("normalized")
        var content = AlignedText(UTF8Text.scalars(text)[...])
        if isNormalized { normalizer.normalize(&content) }
        return AddedToken(
            id: Int32(id), text: Array(text.utf8)[...], content: content.scalars,
            decoded: UTF8Text.bytes(content.scalars)[...], isSpecial: try settings.boolean("special"),
            isNormalized: isNormalized, isSingleWord: try settings.boolean("single_word"),
            stripsLeft: try settings.boolean("lstrip"), stripsRight: try settings.boolean("rstrip"))
    }
}
