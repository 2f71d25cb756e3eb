/// Normalised text and the words it has been cut into.
struct PreTokenizedText: Sendable {
    var text: AlignedText
    /// Non-empty ranges of `text`, in order; what lies between them is dropped.
    var words: [Range<Int>]

    init(_ text: AlignedText) {
        self.text = text
        words = text.count > 0 ? [0..<text.count] : []
    }
}

/// Cuts text into the words that the model sees one at a time. May also rewrite the text.
protocol PreTokenizer: Sendable {
    func split(_ text: inout PreTokenizedText)
}

/// Leaves the text whole: `"pre_tokenizer": null`.
struct IdentityPreTokenizer: PreTokenizer {
    func split(_ text: inout PreTokenizedText) {}
}

/// Where the `type` of tokenizer.json's `pre_tokenizer` becomes a type of ours. To add one, write it in a file of its
/// own and give it a line here.
enum PreTokenizerRegistry {
    static let supported = ["BertPreTokenizer"]

    static func make(_ node: JSONNode?) throws(TokenizerError) -> any PreTokenizer {
        guard let node else { return IdentityPreTokenizer() }
        let object = try node.object("pre_tokenizer")
        let type = try object.string("type")
        switch type {
        case "BertPreTokenizer": return BertPreTokenizer()
        default: throw .unsupported("pre-tokenizer", type, supported: supported)
        }
    }
}
