package import Foundation
package import Layers

/// The part of a Hugging Face `mobilenet_v2` `config.json` that decides the computation.
package struct MobileNetV2Configuration: EncoderConfiguration, Sendable {
    package let channels: Int
    package let depthMultiplier: Double
    package let depthDivisor: Int
    package let minimumDepth: Int
    package let expandRatio: Double
    package let outputStride: Int
    package let firstLayerIsExpansion: Bool
    package let finegrainedOutput: Bool
    package let activation: PixelActivation
    /// TensorFlow's SAME: padding depends on the size of the input, and what is odd goes behind.
    package let padsAsTensorFlow: Bool
    package let batchNormEps: Float

    private enum CodingKeys: String, CodingKey {
        case channels = "num_channels"
        case depthMultiplier = "depth_multiplier"
        case depthDivisor = "depth_divisible_by"
        case minimumDepth = "min_depth"
        case expandRatio = "expand_ratio"
        case outputStride = "output_stride"
        case firstLayerIsExpansion = "first_layer_is_expansion"
        case finegrainedOutput = "finegrained_output"
        case activation = "hidden_act"
        case padsAsTensorFlow = "tf_padding"
        case batchNormEps = "layer_norm_eps"
    }

    /// - Throws: `CheckpointError.invalidConfiguration` naming the key.
    package init(json: Data) throws { self = try Self.decoded(json) }

    func validate() throws {
        try require("num_channels", channels, atMost: 1 << 10)
        try require(depthMultiplier > 0 && depthMultiplier <= 16, "depth_multiplier is \(depthMultiplier)")
        try require("depth_divisible_by", depthDivisor, atMost: 1 << 10)
        try require("min_depth", minimumDepth, atMost: 1 << 12)
        try require(expandRatio > 0 && expandRatio <= 64, "expand_ratio is \(expandRatio)")
        try require("output_stride", outputStride, atMost: 1 << 10)
        try require(batchNormEps > 0 && batchNormEps < 1, "layer_norm_eps is \(batchNormEps)")
    }

    // MARK: What follows from it

    struct Block: Equatable {
        let input: Int, output: Int, stride: Int, dilation: Int
    }

    /// Strides of the sixteen blocks at full output stride.
    private static let strides = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]
    /// Widths of the stem and the sixteen blocks at a multiplier of one (Sandler et al. 2018, table 2).
    private static let widths = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320]

    /// Once the output stride is reached, blocks keep the size of the maps and spread their kernels instead, from the next block on.
    var blocks: [Block] {
        var reached = 2, spread = 1
        return Self.strides.indices.map { index in
            let stride = Self.strides[index], input = scaled(Self.widths[index]),
                output = scaled(Self.widths[index + 1])
            if reached == outputStride {
                defer { spread *= stride }
                return Block(input: input, output: output, stride: 1, dilation: spread)
            }
            reached *= stride
            return Block(input: input, output: output, stride: stride, dilation: 1)
        }
    }

    var stemExpansion: Int { scaled(32) }
    var stemWidth: Int { scaled(Self.widths[0]) }
    var outputWidth: Int { finegrainedOutput && depthMultiplier < 1 ? 1280 : scaled(1280) }

    func expanded(_ width: Int) -> Int { divisible(Double(width) * expandRatio) }

    private func scaled(_ width: Int) -> Int { divisible(Double(width) * depthMultiplier) }

    /// The nearest multiple of `depthDivisor`, at least `minimumDepth`, never more than a tenth below.
    private func divisible(_ wanted: Double) -> Int {
        let value = wanted.rounded(.toNearestOrEven)
        let nearest = Int(value + Double(depthDivisor) / 2) / depthDivisor * depthDivisor
        let width = max(minimumDepth, nearest)
        return Double(width) < 0.9 * value ? width + depthDivisor : width
    }
}
