package import Checkpoints
package import TensorCore

/// Activations between convolutions, by the names of Hugging Face's configurations.
package enum PixelActivation: String, Decodable, Sendable {
    case relu, relu6, gelu, silu

    /// What a packed convolution does in the same pass.
    fileprivate var fused: Rectifier {
        switch self {
        case .relu: .relu
        case .relu6: .relu6
        case .gelu, .silu: .identity
        }
    }

    /// The rest of the way, after the convolution.
    fileprivate func finish(_ x: Tensor) -> Tensor {
        switch self {
        case .relu, .relu6: x
        case .gelu: GELU()(x)
        case .silu: Multiply()(x, Sigmoid()(x))
        }
    }
}

/// A frozen convolution without bias, its batch norm `(x − mean) / √(variance + eps) · weight + bias` by running statistics, and an
/// activation: the brick of image networks. This holds the parameters; `frozen()` folds and packs them.
package struct ConvolutionUnit {
    private let weight: Parameter
    private let scale: Parameter, shift: Parameter, mean: Parameter, variance: Parameter
    private let eps: Float
    private let window: Window
    private let groups: Int
    private let activation: PixelActivation?

    /// - Parameters:
    ///   - convolution: where `weight` `[output, input / groups, kernel, kernel]` is.
    ///   - norm: where `weight`, `bias`, `running_mean` and `running_var` `[output]` are.
    package init(
        _ input: Int, _ output: Int, kernel: Int, window: Window, groups: Int = 1, activation: PixelActivation?,
        eps: Float,
        convolution: ParameterScope, norm: ParameterScope
    ) {
        weight = convolution.parameter("weight", [output, input / groups, kernel, kernel], initial: .zeros)
        scale = norm.parameter("weight", [output], initial: .ones)
        shift = norm.parameter("bias", [output], initial: .zeros)
        mean = norm.parameter("running_mean", [output], initial: .zeros)
        variance = norm.parameter("running_var", [output], initial: .ones)
        self.eps = eps
        self.window = window
        self.groups = groups
        self.activation = activation
    }

    package func frozen() -> FrozenConvolutionUnit {
        FrozenConvolutionUnit(
            packed: PackedConvolution(
                weight: weight.value,
                batchNorm: (scale.value, shift.value, mean.value, variance.value, eps), window: window, groups: groups,
                activation: activation?.fused ?? .identity), activation: activation)
    }
}

/// `y = activation(norm(x ∗ w) (+ residual))`; x `[batch, height, width, channels]`.
package struct FrozenConvolutionUnit: Sendable {
    private let packed: PackedConvolution
    private let activation: PixelActivation?

    fileprivate init(packed: PackedConvolution, activation: PixelActivation?) {
        self.packed = packed
        self.activation = activation
    }

    package func callAsFunction(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
        let y = packed(x, residual: residual)
        return activation?.finish(y) ?? y
    }

    /// The same under another window.
    package func with(_ window: Window) -> FrozenConvolutionUnit {
        FrozenConvolutionUnit(packed: packed.with(window), activation: activation)
    }
}
