package import Checkpoints
package import TensorCore

/// `y = x Wᵀ + b` with W `[out, in]` and b `[out]`, trainable or not as its scope decides.
package struct Linear {
    package let weight: Parameter
    package let bias: Parameter

    package init(_ input: Int, _ output: Int, in scope: ParameterScope) {
        weight = scope.parameter("weight", [output, input], initial: .uniform(fanIn: input))
        bias = scope.parameter("bias", [output], initial: .uniform(fanIn: input))
    }

    /// x `[…, in]` → `[…, out]`
    package func callAsFunction(_ x: Tensor) -> Tensor { LinearProduct()(x, weight.value, bias.value) }

    /// `gelu` of the layer's output, in one pass.
    package func gelu(_ x: Tensor) -> Tensor { LinearGELU()(x, weight.value, bias.value) }

    /// Several layers of one input as a single packed product, their outputs side by side. For frozen layers only.
    ///
    /// - Parameter passesGradients: whether something below them is trained.
    package static func frozen(_ layers: [Linear], passesGradients: Bool = false) -> FrozenLinear {
        FrozenLinear(
            layers.map(\.weight.value), biases: layers.map(\.bias.value), passesGradients: passesGradients)
    }
}
