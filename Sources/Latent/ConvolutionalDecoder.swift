package import Checkpoints
package import Encoders
import Layers
package import TensorCore

/// A code becomes an image: two layers, then stages that double the side: `[batch, code]` → logits of the pixels
/// `[batch, channels, side, side]`. It need not be as large as its encoder.
package struct ConvolutionalDecoder {
    private let hidden: Linear
    private let maps: Linear
    private let stages: [TransposedPixelConvolution]
    private let first: [Int]

    package init(_ configuration: LatentConfiguration, in scope: ParameterScope) {
        let widths = configuration.decoderWidths, side = configuration.smallestSide(widths.count)
        hidden = Linear(configuration.code, configuration.hidden, in: scope.scope("hidden"))
        maps = Linear(configuration.hidden, widths[0] * side * side, in: scope.scope("maps"))
        stages = widths.indices.map { index in
            TransposedPixelConvolution(
                widths[index], index + 1 < widths.count ? widths[index + 1] : configuration.channels, kernel: 4, stride: 2, padding: 1,
                in: scope.scope("stages", index))
        }
        first = [widths[0], side, side]
    }

    package func callAsFunction(_ code: Tensor) -> Tensor {
        var x = SiLU()(maps(SiLU()(hidden(code))))
        x = Reshape(Shape([code.shape[0]] + first))(x)
        for (index, stage) in stages.enumerated() {
            x = stage(x)
            if index + 1 < stages.count { x = SiLU()(x) }
        }
        return x
    }
}
