/// Rewrites text before it is cut into words: lower case, accents, forms of normalisation.
protocol Normalizer: Sendable {
    func normalize(_ text: inout AlignedText)
}

/// Leaves text as it is: `"normalizer": null`.
struct IdentityNormalizer: Normalizer {
    func normalize(_ text: inout AlignedText) {}
}

/// Where the `type` of tokenizer.json's `normalizer` becomes a type of ours. To add one, write it in a file of its own
/// and give it a line here.
enum NormalizerRegistry {
    static let supported = ["BertNormalizer"]

    static func make(_ node: JSONNode?) throws(TokenizerError) -> any Normalizer {
        guard let node else { return IdentityNormalizer() }
        let object = try node.object("normalizer")
        let type = try object.string("type")
        switch type {
        case "BertNormalizer": return try BertNormalizer(object)
        default: throw .unsupported("normalizer", type, supported: supported)
        }
    }
}
