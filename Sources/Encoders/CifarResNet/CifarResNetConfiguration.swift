package import Foundation

/// The part of a `cifar-resnet` `config.json` that decides the computation.
package struct CifarResNetConfiguration: EncoderConfiguration, Sendable, Equatable {
    package enum Block: String, Decodable, Sendable { case basic }
    /// Option A of He et al. 2015: no parameters.
    package enum Shortcut: String, Decodable, Sendable { case a = "A" }

    package let blocksPerStage: [Int]
    package let widths: [Int]
    package let strides: [Int]
    package let block: Block
    package let shortcut: Shortcut
    package let batchNormEps: Float
    package let classes: Int
    /// Channels, height, width.
    package let inputSize: [Int]

    private enum CodingKeys: String, CodingKey {
        case blocksPerStage = "blocks_per_stage"
        case widths
        case strides = "stage_strides"
        case block, shortcut
        case batchNormEps = "batch_norm_eps"
        case classes = "num_classes"
        case inputSize = "input_size"
    }

    /// - Throws: `CheckpointError.invalidConfiguration` naming the key.
    package init(json: Data) throws { self = try Self.decoded(json) }

    func validate() throws {
        try require("number of stages", widths.count, atMost: 16)
        try require(
            blocksPerStage.count == widths.count && strides.count == widths.count,
            "blocks_per_stage, widths and stage_strides have \(blocksPerStage.count), \(widths.count) and \(strides.count) entries"
        )
        for stage in widths.indices {
            try require("widths", widths[stage], atMost: 1 << 14)
            try require("blocks_per_stage", blocksPerStage[stage], atMost: 1 << 10)
            try require("stage_strides", strides[stage], atMost: 8)
            let before = stage == 0 ? widths[0] : widths[stage - 1]
            try require(
                widths[stage] >= before && (widths[stage] - before) % 2 == 0,
                "widths go from \(before) to \(widths[stage]); a shortcut without parameters needs an even number of channels more"
            )
        }
        try require("num_classes", classes, atMost: ImageClassifier.largestCount)
        try require(batchNormEps > 0 && batchNormEps < 1, "batch_norm_eps is \(batchNormEps)")
        try require(
            inputSize.count == 3 && inputSize[0] == 3, "input_size is \(inputSize), expected [3, height, width]")
    }
}
