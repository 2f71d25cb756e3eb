/// Turns the texts of tokens back into running text.
protocol TokenDecoder: Sendable {
    /// `tokens`: UTF-8 of each.
    func decode(_ tokens: [ArraySlice<UInt8>]) -> [UInt8]
}

/// Joins tokens with spaces: `"decoder": null`.
struct JoiningDecoder: TokenDecoder {
    func decode(_ tokens: [ArraySlice<UInt8>]) -> [UInt8] {
        Array(tokens.joined(separator: [0x20]))
    }
}

/// Where the `type` of tokenizer.json's `decoder` becomes a type of ours. To add one, write it in a file of its own and
/// give it a line here.
enum TokenDecoderRegistry {
    static let supported = ["WordPiece"]

    static func make(_ node: JSONNode?) throws(TokenizerError) -> any TokenDecoder {
        guard let node else { return JoiningDecoder() }
        let object = try node.object("decoder")
        let type = try object.string("type")
        switch type {
        case "WordPiece": return try WordPieceDecoder(object)
        default: throw .unsupported("decoder", type, supported: supported)
        }
    }
}
