import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let attention: [String: GoldenBuilder] = [
        "attention": one {
            let mask = $0.has("mask_bool") ? try $0.mask("mask_bool") : nil
            return Attention(causal: try $0.attribute("causal"), scale: $0.attribute("scale"), mask: mask).apply(
                [try $0.tensor("q"), try $0.tensor("k"), try $0.tensor("v"), try $0.optional("mask_add")]
                    .compactMap { $0 })
        },
        "rope": one {
            RotaryEmbedding(
                positions: try $0.integers("positions"), base: try $0.attribute("base"),
                interleaved: $0.attribute("interleaved") ?? false)(try $0.tensor("x"))
        },
        "multi_head_attention": one {
            func projection(_ inputs: GoldenInputs, _ letter: String) throws -> MultiHeadAttention.Projection {
                .init(try inputs.tensor("w\(letter)"), try inputs.optional("b\(letter)"))
            }
            let attention = MultiHeadAttention(
                heads: try $0.attribute("heads"), query: try projection($0, "q"), key: try projection($0, "k"),
                value: try projection($0, "v"), output: try projection($0, "o"))
            return attention(
                try $0.tensor("x"), memory: try $0.optional("memory"),
                keyMask: $0.has("mask") ? try $0.mask("mask") : nil)
        },
    ]
}
