package import Checkpoints
package import TensorCore

/// An encoder that was trained here without labels, frozen. Taps: the maps of each stage, the layer above them, and at the top the
/// code; of restricted Boltzmann machines each one's hidden probabilities.
package final class LatentNetwork: VisionNetwork, @unchecked Sendable {
    // `@unchecked`: the weights are written while loading and only read afterwards.
    private enum Body {
        case convolutional(ConvolutionalEncoder)
        case belief(BeliefEncoder)
    }

    package let configuration: LatentConfiguration
    package let tapWidths: [Int]
    package let parameterCount: Int
    private let body: Body
    private let weights: Safetensors

    /// What comes out of an image decoder has three channels, whatever the network's own number.
    package var channels: Int { 3 }
    package var classifier: ImageClassifier? { nil }

    /// - Throws: `CheckpointError` listing missing, mis-shaped and unused tensors of the encoder. The decoder's are not looked at.
    package init(configuration: LatentConfiguration, weights: Safetensors) throws {
        let scope = try ParameterScope(frozen: weights), encoder = scope.scope("encoder")
        if configuration.kind == .rbm {
            body = .belief(BeliefEncoder(configuration, in: encoder))
            tapWidths = configuration.units
        } else {
            body = .convolutional(ConvolutionalEncoder(configuration, in: encoder))
            tapWidths = configuration.widths + [configuration.hidden, configuration.code]
        }
        try scope.finish { !$0.hasPrefix("encoder.") }
        parameterCount = scope.learnedCount
        self.configuration = configuration
        self.weights = weights
    }

    package func releasePages() { weights.releasePages() }

    package func hiddenStates(_ pixels: Tensor, taps: Set<Int>) -> [Int: Tensor] {
        let images = Self.channelsFirst(pixels, channels: configuration.channels)
        let count = (taps.max() ?? -1) + 1
        let states =
            switch body {
            case .convolutional(let encoder): encoder.states(images, count: count)
            case .belief(let encoder):
                encoder.states(images.reshapedView([images.shape[0], configuration.pixels]), count: count)
            }
        var result: [Int: Tensor] = [:]
        for tap in taps {
            let state = states[tap]
            result[tap] = state.rank == 4 ? state.channelsLast : state.reshapedView([state.shape[0], 1, 1, state.shape[1]])
        }
        return result
    }

    /// `[batch, height, width, 3]` → `[batch, channels, height, width]`; one channel is the brightness, as `luma` computes it.
    private static func channelsFirst(_ pixels: Tensor, channels: Int) -> Tensor {
        if channels == 3 { return pixels.channelsFirst }
        let source = pixels.contiguous(), count = pixels.count / 3
        let result = Tensor(uninitialised: [pixels.shape[0], 1, pixels.shape[1], pixels.shape[2]])
        for i in 0..<count {
            func level(_ channel: Int) -> UInt8 { UInt8((source.pointer[i * 3 + channel] * 255).rounded()) }
            result.mutablePointer[i] = Float(luma(level(0), level(1), level(2))) * (1 / 255)
        }
        return result
    }

    /// Brightness of a colour, rounded as Pillow does: `(19595 R + 38470 G + 7471 B + 2¹⁵) >> 16` (ITU-R 601). A grey's is its own.
    package static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        let r = 19595 * UInt32(red), g = 38470 * UInt32(green), b = 7471 * UInt32(blue)
        return UInt8((r + g + b + 0x8000) >> 16)
    }
}
