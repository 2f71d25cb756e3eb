import Checkpoints
import Foundation
import Images
import TestSupport
import Testing

@testable import Encoders
@testable import TensorCore

@Suite("An image encoder's folder")
struct ImageEncoderTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ kind: TinyImageEncoder, _ changes: [String: (any Sendable)?] = [:]) throws {
        try kind.write(to: folder.url)
        var configuration = kind.configuration
        for (key, value) in changes { configuration[key] = value }
        try JSONSerialization.data(withJSONObject: configuration).write(to: folder.url.appending(path: "config.json"))
    }

    /// Rewrites the weights.
    private func changeWeights(_ change: (inout [String: Tensor]) -> Void) throws {
        let url = folder.url.appending(path: "model.safetensors"), file = try Safetensors(url)
        var tensors: [String: Tensor] = [:]
        for name in file.names { tensors[name] = try file.tensor(name) }
        change(&tensors)
        let bytes = try SafetensorsWriter.encode(tensors)
        try FileManager.default.removeItem(at: url)
        try bytes.write(to: url)
    }

    /// A photograph: smooth colours, as a PNG of this size that another encoder wrote.
    private func photo(_ name: String = "rgb.png") throws -> Data {
        try Data(contentsOf: Golden.packageRoot.appending(path: "Tests/ImagesTests/Fixtures/\(name)"))
    }

    @Test(
        "every architecture reads a photo and gives features at every tap, and logits",
        arguments: TinyImageEncoder.allCases)
    func features(_ kind: TinyImageEncoder) throws {
        try write(kind)
        let encoder = try ImageEncoder(folder: folder.url)
        let batch = try ["rgb.png", "subsampled.jpg", "lossy.webp", "gray16.png"].map { try encoder.prepare(photo($0)) }
        for tap in 0...encoder.topTap {
            let features = encoder.features(batch, tap: tap)
            #expect(features.shape == [4, encoder.network.tapWidths[tap]] && features.values.allSatisfy(\.isFinite))
            #expect(features.rows(0..<1).values != features.rows(3..<4).values, "\(kind) tap \(tap) tells images apart")
            for (row, image) in batch.enumerated() {
                #expect(
                    encoder.features([image], tap: tap).values == features.rows(row..<row + 1).values,
                    "\(kind) tap \(tap)")
            }
        }
        #expect(encoder.logits(batch)?.shape == [4, TinyImageEncoder.classes])
        #expect(encoder.features([]).shape == [0, encoder.width])
        #expect(encoder.network.parameterCount > 0)
    }

    @Test("class names come with the classifier, and must fit it")
    func classNames() throws {
        try write(.cifar)
        #expect(try ImageEncoder(folder: folder.url).classNames == ["red", "green", "blue"])
        try write(.cifar, ["id2label": ["0": "red", "1": "green"]])
        #expect(throws: CheckpointError.self) { try ImageEncoder(folder: folder.url) }
    }

    @Test("a checkpoint without its classifier gives features and no logits", arguments: TinyImageEncoder.allCases)
    func withoutClassifier(_ kind: TinyImageEncoder) throws {
        try write(kind)
        try changeWeights { tensors in
            for name in tensors.keys where name.hasPrefix("classifier") || name.hasPrefix("linear") {
                tensors[name] = nil
            }
        }
        let encoder = try ImageEncoder(folder: folder.url)
        #expect(try encoder.logits([encoder.prepare(photo())]) == nil)
        #expect(try encoder.features([encoder.prepare(photo())]).shape == [1, encoder.width])
    }

    @Test("step counters are ignored, any other surplus is an error", arguments: TinyImageEncoder.allCases)
    func surplus(_ kind: TinyImageEncoder) throws {
        try write(kind)
        try changeWeights { $0["resnet.encoder.x.num_batches_tracked"] = Tensor(scalar: 3) }
        _ = try ImageEncoder(folder: folder.url)
        try changeWeights { $0["extra.weight"] = Tensor(scalar: 3) }
        let error = #expect(throws: CheckpointError.self) { try ImageEncoder(folder: folder.url) }
        #expect(
            error?.code == .unusedTensor && error?.message.contains("extra.weight") == true,
            "\(String(describing: error))")
    }

    @Test(
        "missing and mis-shaped tensors are listed",
        arguments: [
            (TinyImageEncoder.cifar, "layer2.0.conv2.weight"),
            (.resNet, "resnet.encoder.stages.1.layers.0.shortcut.normalization.running_var"),
            (.mobileNet, "mobilenet_v2.layer.7.conv_3x3.convolution.weight"), (.cifar, "linear.weight"),
            (.mobileNet, "classifier.weight"),
        ])
    func damaged(_ kind: TinyImageEncoder, _ name: String) throws {
        let local = name.replacing("resnet.", with: "").replacing("mobilenet_v2.", with: "")
        try write(kind)
        try changeWeights { $0[name] = Tensor(repeating: 0, [2, 5]) }
        var error = #expect(throws: CheckpointError.self) { try ImageEncoder(folder: folder.url) }
        #expect(error?.code == .shapeMismatch && error?.message.contains(local) == true, "\(String(describing: error))")
        try changeWeights { $0[name] = nil }
        error = #expect(throws: CheckpointError.self) { try ImageEncoder(folder: folder.url) }
        #expect(error?.code == .missingTensor && error?.message.contains(local) == true, "\(String(describing: error))")
    }

    @Test(
        "each key the computation depends on is required",
        arguments: [
            (
                TinyImageEncoder.cifar,
                [
                    "blocks_per_stage", "widths", "stage_strides", "block", "shortcut", "batch_norm_eps", "num_classes",
                    "input_size",
                ]
            ),
            (
                .resNet,
                [
                    "num_channels", "embedding_size", "hidden_sizes", "depths", "layer_type", "hidden_act",
                    "downsample_in_first_stage",
                ]
            ),
            (
                .mobileNet,
                [
                    "num_channels", "depth_multiplier", "depth_divisible_by", "min_depth", "expand_ratio",
                    "output_stride",
                    "first_layer_is_expansion", "finegrained_output", "hidden_act", "tf_padding", "layer_norm_eps",
                ]
            ),
        ])
    func required(_ kind: TinyImageEncoder, _ keys: [String]) throws {
        for key in keys {
            try write(kind, [key: nil])
            let error = #expect(throws: (any Error).self) { try ImageEncoder(folder: folder.url) }
            #expect(error.map { "\($0)".contains(key) } == true, "\(key): \(String(describing: error))")
        }
    }

    @Test(
        "values that cannot be are refused",
        arguments: [
            (TinyImageEncoder.cifar, "block", "bottleneck" as any Sendable), (.cifar, "shortcut", "B"),
            (.cifar, "widths", [4]),
            (.cifar, "widths", [8, 4]), (.cifar, "stage_strides", [1, 0]), (.cifar, "num_classes", 4),
            (.cifar, "batch_norm_eps", 0),
            (.cifar, "input_size", [1, 8, 8]), (.cifar, "blocks_per_stage", [1, 1_000_000]),
            (.resNet, "layer_type", "wide"),
            (.resNet, "hidden_act", "mish"), (.resNet, "depths", [1]), (.resNet, "hidden_sizes", [Int]()),
            (.resNet, "num_channels", 1),
            (.resNet, "hidden_sizes", [4, -8]), (.resNet, "layer_type", "bottleneck"),
            (.resNet, "downsample_in_bottleneck", "yes"),
            (.mobileNet, "depth_multiplier", 0), (.mobileNet, "depth_multiplier", 1e9),
            (.mobileNet, "expand_ratio", -1),
            (.mobileNet, "depth_divisible_by", 0), (.mobileNet, "finegrained_output", true),
            (.mobileNet, "layer_norm_eps", 2),
            (.mobileNet, "first_layer_is_expansion", false), (.mobileNet, "model_type", "mobilenet_v9"),
        ])
    func refused(_ kind: TinyImageEncoder, _ key: String, _ value: any Sendable) throws {
        try write(kind, [key: value])
        let error = #expect(throws: CheckpointError.self) { try ImageEncoder(folder: folder.url) }
        #expect(error.map { !$0.message.isEmpty } == true)
    }

    @Test("the preprocessing is in a file of its own or in config.json, and cannot be missing")
    func preprocessing() throws {
        try write(.resNet)
        #expect(try ImageEncoder(folder: folder.url).imagePreprocessing.resize == .shortestEdge(18))
        try FileManager.default.removeItem(at: folder.url.appending(path: "preprocessor_config.json"))
        let error = #expect(throws: CheckpointError.self) { try ImageEncoder(folder: folder.url) }
        #expect(error?.message.contains("preprocessor_config.json") == true)
        for file in ImageEncoder.requiredFiles {
            try write(.resNet)
            try FileManager.default.removeItem(at: folder.url.appending(path: file))
            #expect(throws: CheckpointError.self, "\(file)") { try ImageEncoder(folder: folder.url) }
        }
    }

    @Test("bytes that are no image throw, and limits hold")
    func unusable() throws {
        try write(.cifar)
        let encoder = try ImageEncoder(folder: folder.url, limits: ImageLimits(pixels: 449))
        #expect(throws: ImageError.self) { try encoder.prepare(Data("text".utf8)) }
        #expect(throws: ImageError.self) { try encoder.prepare(photo()) }
        #expect(try encoder.prepare(photo("rgb16.png")).count == encoder.preparedCount)
    }

    @Test("text and image encoders are told apart")
    func modalities() throws {
        try write(.cifar)
        let image = try JSONSerialization.data(withJSONObject: TinyImageEncoder.cifar.configuration)
        let text = try JSONSerialization.data(withJSONObject: TinyEncoder.configuration)
        #expect(try EncoderRegistry.native.modality(image) == .image && EncoderRegistry.native.modality(text) == .text)
        let weights = try Safetensors(folder.url.appending(path: "model.safetensors"))
        for (configuration, word) in [(image, "reads images"), (text, "reads texts")] {
            let error = #expect(throws: CheckpointError.self) {
                if configuration == image {
                    _ = try EncoderRegistry.native.build(configuration: configuration, weights: weights)
                } else {
                    _ = try EncoderRegistry.native.buildVision(configuration: configuration, weights: weights)
                }
            }
            #expect(error?.message.contains(word) == true, "\(String(describing: error))")
        }
    }
}

@Suite("MobileNetV2's plan")
struct MobileNetPlanTests {
    private func configuration(_ changes: [String: Any]) throws -> MobileNetV2Configuration {
        let all = TinyImageEncoder.mobileNet.configuration.merging(changes) { $1 }
        return try MobileNetV2Configuration(json: JSONSerialization.data(withJSONObject: all))
    }

    @Test(
        "widths are those of transformers' make_divisible",
        arguments: [
            (1.0, [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320], 32, 1280),
            (1.4, [24, 32, 32, 48, 48, 48, 88, 88, 88, 88, 136, 136, 136, 224, 224, 224, 448], 48, 1792),
            (0.35, [8, 8, 8, 16, 16, 16, 24, 24, 24, 24, 32, 32, 32, 56, 56, 56, 112], 16, 448),
        ])
    func widths(_ multiplier: Double, _ widths: [Int], _ stem: Int, _ output: Int) throws {
        let plan = try configuration(["depth_multiplier": multiplier])
        #expect([plan.stemWidth] + plan.blocks.map(\.output) == widths)
        #expect(plan.stemExpansion == stem && plan.outputWidth == output)
    }

    @Test(
        "after the output stride, blocks dilate instead, from the next one on",
        arguments: [
            (32, [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1], [Int](repeating: 1, count: 16)),
            (16, [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [Int](repeating: 1, count: 13) + [2, 2, 2]),
            (8, [2, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 4, 4, 4]),
        ])
    func dilation(_ outputStride: Int, _ strides: [Int], _ dilations: [Int]) throws {
        let blocks = try configuration(["output_stride": outputStride]).blocks
        #expect(blocks.map(\.stride) == strides && blocks.map(\.dilation) == dilations)
    }
}
