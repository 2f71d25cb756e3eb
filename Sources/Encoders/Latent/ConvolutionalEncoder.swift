package import Checkpoints
import Layers
package import TensorCore

/// Stages that halve the side and a layer above them, then the code: `[batch, channels, side, side]` → `[batch, code]`.
///
/// Its parameters are trainable or frozen as their scope decides; frozen, it records no history.
package struct ConvolutionalEncoder {
    private let stages: [PixelConvolution]
    private let joined: Linear
    private let code: Linear
    /// Logarithm of each number's variance, of a variational encoder.
    private let logVariance: Linear?

    package init(_ configuration: LatentConfiguration, in scope: ParameterScope) {
        var channels = configuration.channels, stages: [PixelConvolution] = []
        for (index, width) in configuration.widths.enumerated() {
            stages.append(
                PixelConvolution(channels, width, kernel: 4, stride: 2, padding: 1, in: scope.scope("stages", index)))
            channels = width
        }
        let side = configuration.smallestSide(stages.count)
        self.stages = stages
        joined = Linear(channels * side * side, configuration.hidden, in: scope.scope("hidden"))
        code = Linear(configuration.hidden, configuration.code, in: scope.scope("code"))
        logVariance =
            configuration.kind.isVariational
            ? Linear(configuration.hidden, configuration.code, in: scope.scope("log_variance")) : nil
    }

    /// The maps of each stage `[batch, width, side, side]`, then `[batch, hidden]`, then the code; the first `count` of them.
    package func states(_ pixels: Tensor, count: Int) -> [Tensor] {
        var states: [Tensor] = [], x = pixels
        for stage in stages.prefix(count) {
            x = SiLU()(stage(x))
            states.append(x)
        }
        if count > stages.count {
            states.append(SiLU()(joined(Reshape([x.shape[0], x.count / max(x.shape[0], 1)])(x))))
        }
        if count > stages.count + 1 { states.append(code(states[stages.count])) }
        return states
    }

    /// What stands below the code: `[batch, hidden]`.
    package func hidden(_ pixels: Tensor) -> Tensor { states(pixels, count: stages.count + 1)[stages.count] }

    /// The code `[batch, code]`; of a variational encoder its mean.
    package func callAsFunction(_ pixels: Tensor) -> Tensor { code(hidden(pixels)) }

    /// Mean and logarithm of the variance `[batch, code]`; the latter nil unless the encoder is variational.
    package func distribution(_ pixels: Tensor) -> (mean: Tensor, logVariance: Tensor?) {
        let hidden = hidden(pixels)
        return (code(hidden), logVariance.map { $0(hidden) })
    }
}
