/// A token that a model found: its id and where it lies in the text the model was given.
struct ModelToken: Sendable {
    var id: Int32
    var range: Range<Int>
}

/// Cuts a word into tokens of a vocabulary.
protocol TokenizerModel: Sendable {
    var vocabulary: Vocabulary { get }

    /// Appends the tokens of `text[word]`; `word` is not empty.
    func tokenize(_ word: Range<Int>, of text: AlignedText, into tokens: inout [ModelToken])
}

/// Where the `type` of tokenizer.json's `model` becomes a type of ours. To add one, write it in a file of its own and
/// give it a line here.
enum TokenizerModelRegistry {
    static let supported = ["WordPiece"]

    static func make(_ node: JSONNode) throws(TokenizerError) -> any TokenizerModel {
        let object = try node.object("model")
        let type = try object.string("type")
        switch type {
        case "WordPiece": return try WordPiece(object)
        default: throw .unsupported("model", type, supported: supported)
        }
    }
}
