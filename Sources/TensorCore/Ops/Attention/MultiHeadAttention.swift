/// Multi-head attention with its four projections: queries from x `[batch, length, width]`, keys and values from `memory`
/// `[batch, keys, width]` (or x itself), split into heads, attended, joined and projected → `[batch, length, width]`.
///
/// Not an op of its own: it is made of ops, and their gradients are its gradient.
package struct MultiHeadAttention {
    /// A projection's weight `[out, in]` and bias `[out]`.
    package struct Projection {
        package let weight: Tensor
        package let bias: Tensor?

        package init(_ weight: Tensor, _ bias: Tensor?) {
            self.weight = weight
            self.bias = bias
        }

        func callAsFunction(_ x: Tensor) -> Tensor {
            bias.map { LinearProduct()(x, weight, $0) } ?? LinearProduct()(x, weight)
        }
    }

    package let heads: Int
    package let query: Projection, key: Projection, value: Projection, output: Projection

    package init(heads: Int, query: Projection, key: Projection, value: Projection, output: Projection) {
        self.heads = heads
        self.query = query
        self.key = key
        self.value = value
        self.output = output
    }

    /// `keyMask` `[batch, keys]`: yes for real tokens.
    package func callAsFunction(
        _ x: Tensor, memory: Tensor? = nil, keyMask: Mask? = nil, causal: Bool = false
    ) -> Tensor {
        let source = memory ?? x
        // [batch, keys] → [batch, 1, 1, keys]
        let mask = keyMask.map { $0.reshaped([$0.shape[0], 1, 1, $0.shape[1]]) }
        let attended = Attention(causal: causal, mask: mask)(
            split(query(x)), split(key(source)), split(value(source)))
        let joined = Permute([0, 2, 1, 3])(attended)
        return output(Reshape([x.shape[0], x.shape[1], joined.shape[2] * joined.shape[3]])(joined))
    }

    /// `[batch, length, heads · size]` → `[batch, heads, length, size]`
    private func split(_ x: Tensor) -> Tensor {
        precondition(x.rank == 3 && x.shape[2] % heads == 0, "multi_head_attention: \(x.shape) for \(heads) heads")
        return Permute([0, 2, 1, 3])(Reshape([x.shape[0], x.shape[1], heads, x.shape[2] / heads])(x))
    }
}
