/// Joins WordPiece tokens: a space before each but the first, unless it continues a word; then spaces that do not
/// belong before English punctuation and contractions are removed.
///
/// Follows `decoders/wordpiece.rs` of Hugging Face tokenizers, which cleans each token up by itself.
struct WordPieceDecoder: TokenDecoder {
    let prefix: [UInt8]
    let cleansUp: Bool

    init(prefix: String, cleansUp: Bool) {
        self.prefix = Array(prefix.utf8)
        self.cleansUp = cleansUp
    }

    init(_ settings: JSONObject) throws(TokenizerError) {
        self.init(prefix: try settings.string("prefix"), cleansUp: try settings.boolean("cleanup"))
    }

    func decode(_ tokens: [ArraySlice<UInt8>]) -> [UInt8] {
        var text: [UInt8] = []
        for (index, token) in tokens.enumerated() {
            var piece: [UInt8]
            if index == 0 {
                piece = Array(token)
            } else if token.starts(with: prefix) {
                piece = Array(token.dropFirst(prefix.count))
            } else {
                piece = [0x20] + token
            }
            if cleansUp, piece.contains(0x20) { piece = Self.cleanUp(piece) }
            text += piece
        }
        return text
    }

    /// Pairs of what is replaced and by what; applied in this order.
    private static let replacements: [(from: [UInt8], to: [UInt8])] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

    private static func cleanUp(_ text: [UInt8]) -> [UInt8] {
        replacements.reduce(text) { text, replacement in
            guard text.count >= replacement.from.count else { return text }
            var result: [UInt8] = []
            var at = 0
            while at < text.count {
                if text[at...].starts(with: replacement.from) {
                    result += replacement.to
                    at += replacement.from.count
                } else {
                    result.append(text[at])
                    at += 1
                }
            }
            return result
        }
    }
}
