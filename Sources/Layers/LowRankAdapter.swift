package import Checkpoints
package import TensorCore

/// What a low-rank adapter adds to a frozen linear map (LoRA, Hu et al. 2022): `scale · (x Aᵀ) Bᵀ` with A `[rank, in]`, B
/// `[out, rank]` and `scale = alpha / rank`. B begins at zero, so that training begins at the frozen map.
package struct LowRankAdapter {
    package let a: Parameter
    package let b: Parameter
    package let scale: Float

    package init(_ input: Int, _ output: Int, rank: Int, alpha: Float, in scope: ParameterScope) {
        precondition(rank > 0, "a low-rank adapter of rank \(rank)")
        a = scope.parameter("lora_A", [rank, input], initial: .uniform(fanIn: input))
        b = scope.parameter("lora_B", [output, rank], initial: .zeros)
        scale = alpha / Float(rank)
    }

    /// One that was trained before.
    package init(a: Parameter, b: Parameter, scale: Float) {
        self.a = a
        self.b = b
        self.scale = scale
    }

    /// x `[…, in]` → `[…, out]`, to be added to the frozen map's output.
    package func callAsFunction(_ x: Tensor) -> Tensor {
        // The narrow side is the cheap one to scale.
        let inner = Multiply()(LinearProduct()(x, a.value), Tensor(scalar: scale))
        return LinearProduct()(inner, b.value)
    }

    /// `W + scale · B A`: the weight that does without the adapter.
    package func merged(into weight: Tensor) -> Tensor {
        let delta = MatrixProduct()(b.value.detached, a.value.detached)
        return Add()(weight.detached, Multiply()(delta, Tensor(scalar: scale)))
    }
}
