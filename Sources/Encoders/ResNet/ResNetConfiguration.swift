package import Foundation
package import Layers

/// The part of a Hugging Face `resnet` `config.json` that decides the computation.
package struct ResNetConfiguration: EncoderConfiguration, Sendable {
    package enum LayerType: String, Decodable, Sendable { case basic, bottleneck }

    package let channels: Int
    package let embeddingSize: Int
    package let widths: [Int]
    package let depths: [Int]
    package let layerType: LayerType
    /// Of the stem and of each block's end; inside a block it is always ReLU.
    package let activation: PixelActivation
    package let downsamplesInFirstStage: Bool
    /// Where a bottleneck takes its stride: in the first 1 × 1 convolution, or (absent, and usual) in the 3 × 3 one.
    package let downsamplesInBottleneck: Bool?

    private enum CodingKeys: String, CodingKey {
        case channels = "num_channels"
        case embeddingSize = "embedding_size"
        case widths = "hidden_sizes"
        case depths
        case layerType = "layer_type"
        case activation = "hidden_act"
        case downsamplesInFirstStage = "downsample_in_first_stage"
        case downsamplesInBottleneck = "downsample_in_bottleneck"
    }

    /// Batch norm's, which the configuration does not name.
    static let batchNormEps: Float = 1e-5

    /// - Throws: `CheckpointError.invalidConfiguration` naming the key.
    package init(json: Data) throws { self = try Self.decoded(json) }

    func validate() throws {
        try require("num_channels", channels, atMost: 1 << 10)
        try require("embedding_size", embeddingSize, atMost: 1 << 14)
        try require("number of hidden_sizes", widths.count, atMost: 16)
        try require(depths.count == widths.count, "depths has \(depths.count) entries, hidden_sizes \(widths.count)")
        for (width, depth) in zip(widths, depths) {
            try require("hidden_sizes", width, atMost: 1 << 16)
            try require("depths", depth, atMost: 1 << 10)
            try require(
                layerType == .basic || width >= ResNet.reduction,
                "hidden_sizes has \(width), too narrow for a bottleneck of a quarter")
        }
    }
}
