package import Checkpoints
package import TensorCore

/// `y = x ∗ w + b` over images `[batch, channels, height, width]`, trainable or not as its scope decides.
package struct PixelConvolution {
    package let weight: Parameter
    package let bias: Parameter
    private let convolution: Convolution

    /// - Parameter scope: where `weight` `[output, input, kernel, kernel]` and `bias` `[output]` are.
    package init(_ input: Int, _ output: Int, kernel: Int, stride: Int = 1, padding: Int = 0, in scope: ParameterScope) {
        let fan = input * kernel * kernel
        weight = scope.parameter("weight", [output, input, kernel, kernel], initial: .uniform(fanIn: fan))
        bias = scope.parameter("bias", [output], initial: .uniform(fanIn: fan))
        convolution = Convolution(Window(rank: 2, stride: stride, padding: padding))
    }

    package func callAsFunction(_ x: Tensor) -> Tensor { convolution(x, weight.value, bias.value) }
}

/// The transpose of a convolution, which makes images larger: `[batch, input, h, w]` → `[batch, output, (h − 1) · stride − 2 · padding +
/// kernel, …]`.
package struct TransposedPixelConvolution {
    package let weight: Parameter
    package let bias: Parameter
    private let convolution: TransposedConvolution

    /// - Parameter scope: where `weight` `[input, output, kernel, kernel]` and `bias` `[output]` are.
    package init(_ input: Int, _ output: Int, kernel: Int, stride: Int = 1, padding: Int = 0, in scope: ParameterScope) {
        let fan = output * kernel * kernel
        weight = scope.parameter("weight", [input, output, kernel, kernel], initial: .uniform(fanIn: fan))
        bias = scope.parameter("bias", [output], initial: .uniform(fanIn: fan))
        convolution = TransposedConvolution(Window(rank: 2, stride: stride, padding: padding))
    }

    package func callAsFunction(_ x: Tensor) -> Tensor { convolution(x, weight.value, bias.value) }
}
