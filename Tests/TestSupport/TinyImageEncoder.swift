import Checkpoints
package import Foundation
import TensorCore

/// Random image encoders of each architecture: everything a real one has, in milliseconds.
package enum TinyImageEncoder: String, CaseIterable, Sendable {
    case cifar, resNet, mobileNet

    package static let classes = 3

    /// Writes a folder with `config.json`, `model.safetensors` and, for Hugging Face's architectures, `preprocessor_config.json`. The same
    /// seed gives the same weights.
    package func write(to folder: URL, seed: UInt64 = 1) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        func write(_ object: [String: Any], _ name: String) throws {
            try JSONSerialization.data(withJSONObject: object).write(to: folder.appending(path: name))
        }
        try write(configuration, "config.json")
        if let processor { try write(processor, "preprocessor_config.json") }
        try SafetensorsWriter.encode(weights(seed)).write(to: folder.appending(path: "model.safetensors"))
    }

    package var configuration: [String: Any] {
        switch self {
        case .cifar:
            [
                "model_type": "cifar-resnet", "blocks_per_stage": [1, 2], "widths": [4, 8], "stage_strides": [1, 2],
                "block": "basic", "shortcut": "A", "batch_norm_eps": 1e-5, "num_classes": Self.classes,
                "input_size": [3, 8, 8],
                "id2label": ["0": "red", "1": "green", "2": "blue"],
                "preprocessing": [
                    "decode": "RGB", "resize": NSNull(), "crop": NSNull(), "scale": "(x/255 - mean)/std",
                    "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25],
                ] as [String: Any],
            ]
        case .resNet:
            [
                "model_type": "resnet", "num_channels": 3, "embedding_size": 4, "hidden_sizes": [4, 8],
                "depths": [1, 1],
                "layer_type": "basic", "hidden_act": "relu", "downsample_in_first_stage": false,
            ]
        case .mobileNet:
            [
                "model_type": "mobilenet_v2", "num_channels": 3, "depth_multiplier": 0.1, "depth_divisible_by": 8,
                "min_depth": 8,
                "expand_ratio": 6, "output_stride": 32, "first_layer_is_expansion": true, "finegrained_output": false,
                "hidden_act": "relu6", "tf_padding": true, "layer_norm_eps": 0.001,
            ]
        }
    }

    private var processor: [String: Any]? {
        let normalisation: [String: Any] = [
            "do_rescale": true, "rescale_factor": 1.0 / 255, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5], "do_resize": true,
        ]
        switch self {
        case .cifar: return nil
        case .resNet:
            return normalisation.merging(
                [
                    "image_processor_type": "ConvNextImageProcessor", "size": ["shortest_edge": 16], "crop_pct": 0.875,
                    "resample": 3,
                ]
            ) { $1 }
        case .mobileNet:
            return normalisation.merging([
                "image_processor_type": "MobileNetV2ImageProcessor", "size": ["shortest_edge": 18], "resample": 2,
                "do_center_crop": true, "crop_size": ["height": 16, "width": 16],
            ]) { $1 }
        }
    }

    private func weights(_ seed: UInt64) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        func random(_ name: String, _ shape: Shape, _ range: ClosedRange<Float>) {
            var numbers = Random(seed: seed, stream: name)
            tensors[name] = Tensor(
                (0..<shape.count).map { _ in
                    range.lowerBound + numbers.uniform() * (range.upperBound - range.lowerBound)
                }, shape)
        }
        func convolution(_ name: String, _ norm: String, _ input: Int, _ output: Int, _ kernel: Int, groups: Int = 1) {
            random("\(name).weight", [output, input / groups, kernel, kernel], -0.5...0.5)
            random("\(norm).weight", [output], 0.8...1.2)
            random("\(norm).bias", [output], -0.2...0.2)
            random("\(norm).running_mean", [output], -0.2...0.2)
            random("\(norm).running_var", [output], 0.5...1.5)
        }
        func unit(_ path: String, _ input: Int, _ output: Int, _ kernel: Int, groups: Int = 1) {
            convolution("\(path).convolution", "\(path).normalization", input, output, kernel, groups: groups)
        }
        func classifier(_ name: String, _ width: Int) {
            random("\(name).weight", [Self.classes, width], -0.5...0.5)
            random("\(name).bias", [Self.classes], -0.5...0.5)
        }
        switch self {
        case .cifar:
            convolution("conv1", "bn1", 3, 4, 3)
            for (block, input, output) in [("layer1.0", 4, 4), ("layer2.0", 4, 8), ("layer2.1", 8, 8)] {
                convolution("\(block).conv1", "\(block).bn1", input, output, 3)
                convolution("\(block).conv2", "\(block).bn2", output, output, 3)
            }
            classifier("linear", 8)
        case .resNet:
            unit("resnet.embedder.embedder", 3, 4, 7)
            for (stage, input, output) in [(0, 4, 4), (1, 4, 8)] {
                let path = "resnet.encoder.stages.\(stage).layers.0"
                unit("\(path).layer.0", input, output, 3)
                unit("\(path).layer.1", output, output, 3)
                if input != output { unit("\(path).shortcut", input, output, 1) }
            }
            classifier("classifier.1", 8)
        case .mobileNet:
            unit("mobilenet_v2.conv_stem.first_conv", 3, 8, 3)
            unit("mobilenet_v2.conv_stem.conv_3x3", 8, 8, 3, groups: 8)
            unit("mobilenet_v2.conv_stem.reduce_1x1", 8, 8, 1)
            let widths = [8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 16, 16, 16, 16, 16, 16, 32]
            for index in 0..<16 {
                let path = "mobilenet_v2.layer.\(index)", inner = widths[index] * 6
                unit("\(path).expand_1x1", widths[index], inner, 1)
                unit("\(path).conv_3x3", inner, inner, 3, groups: inner)
                unit("\(path).reduce_1x1", inner, widths[index + 1], 1)
            }
            unit("mobilenet_v2.conv_1x1", 32, 128, 1)
            classifier("classifier", 128)
        }
        return tensors
    }
}
