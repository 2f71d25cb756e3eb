package import Checkpoints
package import TensorCore

/// Layer normalisation over the last axis with learned scale and shift.
package struct LayerNorm {
    package let weight: Parameter
    package let bias: Parameter
    package let eps: Float

    package init(_ width: Int, eps: Float, in scope: ParameterScope) {
        weight = scope.parameter("weight", [width], initial: .ones)
        bias = scope.parameter("bias", [width], initial: .zeros)
        self.eps = eps
    }

    package func callAsFunction(_ x: Tensor) -> Tensor {
        LayerNormalisation(eps: eps)(x, weight.value, bias.value)
    }

    /// `layer_norm(x + residual)`
    package func callAsFunction(_ x: Tensor, residual: Tensor) -> Tensor {
        ResidualLayerNormalisation(eps: eps)(x, residual, weight.value, bias.value)
    }
}
