import Checkpoints
package import Foundation
package import TensorCore

/// Low-rank adapters in the format of Hugging Face's PEFT: `adapter_config.json` and `adapter_model.safetensors`.
///
/// Tensors are `base_model.model.encoder.layer.N.MAP.lora_A.weight` `[rank, in]` and `….lora_B.weight` `[out, rank]`.
/// Source: https://github.com/huggingface/peft, `peft/tuners/lora/config.py` and `peft/utils/save_and_load.py` (0.21).
package struct PeftAdapter {
    package static let configurationFile = "adapter_config.json"
    package static let weightsFile = "adapter_model.safetensors"

    package let rank: Int
    package let alpha: Float
    /// Of the product: `alpha / rank`, or with rank-stabilised adapters `alpha / √rank`.
    package let scale: Float
    /// A and B by the name of the weight that they adapt, such as `encoder.layer.0.attention.self.query.weight`.
    package let maps: [String: (a: Tensor, b: Tensor)]

    /// - Throws: `CheckpointError`: a file is missing or damaged, or the adapter is of a kind that cannot be merged here.
    package init(folder: URL) throws {
        let configuration = try PeftConfiguration(folder.appending(path: Self.configurationFile))
        (rank, alpha) = (configuration.r, configuration.lora_alpha)
        scale = configuration.use_rslora == true ? alpha / Float(rank).squareRoot() : alpha / Float(rank)
        let file = try Safetensors(folder.appending(path: Self.weightsFile))
        var maps: [String: (a: Tensor, b: Tensor)] = [:]
        for name in file.names {
            guard name.hasSuffix(".lora_A.weight") else {
                guard name.hasSuffix(".lora_B.weight") else {
                    throw CheckpointError(
                        .unusedTensor, "\"\(name)\" is no low-rank adapter's; only those can be loaded", file: file.file)
                }
                continue
            }
            let stem = String(name.dropLast(".lora_A.weight".count))
            guard file.entries[stem + ".lora_B.weight"] != nil else {
                throw CheckpointError(.missingTensor, "\"\(stem).lora_B.weight\" is missing", file: file.file)
            }
            let a = try file.tensor(name), b = try file.tensor(stem + ".lora_B.weight")
            guard a.rank == 2, b.rank == 2, a.shape[0] == rank, b.shape[1] == rank else {
                throw CheckpointError(
                    .shapeMismatch, "\"\(stem)\" has A \(a.shape) and B \(b.shape), of rank \(rank)", file: file.file)
            }
            maps[Self.weightName(stem)] = (a, b)
        }
        guard file.names.count == 2 * maps.count, !maps.isEmpty else {
            throw CheckpointError(.missingTensor, "has \(maps.count) pairs in \(file.names.count) tensors", file: file.file)
        }
        self.maps = maps
    }

    /// `base_model.model.bert.encoder.layer.0.output.dense` → `encoder.layer.0.output.dense.weight`
    private static func weightName(_ stem: String) -> String {
        var name = stem[...]
        for prefix in ["base_model.model.", "bert."] where name.hasPrefix(prefix) { name = name.dropFirst(prefix.count) }
        return "\(name).weight"
    }

    /// Writes what `bert` has learnt. The same adapters give the same bytes.
    ///
    /// - Parameter base: what PEFT is told the adapter belongs to; it loads it into any model it is given.
    package static func write(_ bert: TrainableBert, base: String, to folder: URL) throws {
        guard let lowRank = bert.tuning.lowRank else { preconditionFailure("no adapter was trained") }
        var tensors: [String: Tensor] = [:]
        for parameter in bert.parameters where parameter.name.hasSuffix(".lora_A") || parameter.name.hasSuffix(".lora_B") {
            tensors["base_model.model.\(parameter.name).weight"] = parameter.value.detached
        }
        let adapted = lowRank.top ?? bert.layers
        let configuration = PeftConfiguration(
            lowRank, base: base, layers: adapted == bert.layers ? nil : Array(bert.layers - adapted..<bert.layers))
        try configuration.encoded().write(to: folder.appending(path: configurationFile))
        try SafetensorsWriter.encode(tensors, metadata: ["format": "pt"]).write(to: folder.appending(path: weightsFile))
    }
}

extension FineTuning.Target {
    /// The module inside a layer of Hugging Face's BERT.
    package var module: String {
        switch self {
        case .query, .key, .value: "attention.self.\(rawValue)"
        case .attentionOutput, .intermediate, .output: "\(rawValue).dense"
        }
    }
}

/// The part of `adapter_config.json` that decides the computation, and what PEFT wants beside it.
private struct PeftConfiguration: Codable {
    var peft_type: String
    var r: Int
    var lora_alpha: Float
    var base_model_name_or_path: String?
    var task_type: String?
    var target_modules: Modules?
    var bias: String?
    var fan_in_fan_out: Bool?
    var inference_mode: Bool?
    var init_lora_weights: Bool?
    var lora_dropout: Float?
    var layers_to_transform: [Int]?
    var layers_pattern: String?
    var use_rslora: Bool?
    var use_dora: Bool?
    var lora_bias: Bool?
    var modules_to_save: [String]?
    var rank_pattern: [String: Int]?
    var alpha_pattern: [String: Float]?

    /// Ends of module names, or one regular expression for all of the name.
    enum Modules: Codable {
        case names([String])
        case pattern(String)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let pattern = try? container.decode(String.self) { self = .pattern(pattern) } else {
                self = .names(try container.decode([String].self))
            }
        }

        func encode(to encoder: any Swift.Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .names(let names): try container.encode(names)
            case .pattern(let pattern): try container.encode(pattern)
            }
        }
    }

    /// The keys that may hold anything but these values are read as they are; a file with others is refused.
    private enum CodingKeys: String, CodingKey {
        case peft_type, r, lora_alpha, base_model_name_or_path, task_type, target_modules, bias, fan_in_fan_out, inference_mode
        case lora_dropout, layers_to_transform, layers_pattern, use_rslora, use_dora, lora_bias, modules_to_save
        case rank_pattern, alpha_pattern
    }

    init(_ lowRank: FineTuning.LowRank, base: String, layers: [Int]?) {
        peft_type = "LORA"
        (r, lora_alpha, base_model_name_or_path) = (lowRank.rank, lowRank.alpha, base)
        task_type = "FEATURE_EXTRACTION"
        let targets = FineTuning.Target.allCases.filter(lowRank.targets.contains)
        // An end of a name, "output.dense", would be the attention's as well.
        if targets.contains(.output), !targets.contains(.attentionOutput) {
            let modules = targets.map { $0.module.replacing(".", with: "\\.") }.joined(separator: "|")
            target_modules = .pattern(".*layer\\.\\d+\\.(\(modules))")
        } else {
            target_modules = .names(targets.map(\.module))
        }
        (bias, fan_in_fan_out, inference_mode, lora_dropout) = ("none", false, true, 0)
        layers_to_transform = layers
        layers_pattern = layers.map { _ in "layer" }
    }

    init(_ url: URL) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
        } catch let error as DecodingError {
            throw CheckpointError(.invalidConfiguration, error.plainDescription, file: url.path, cause: error)
        } catch {
            throw CheckpointError(.unreadable, "cannot be read", file: url.path, cause: error)
        }
        func require(_ holds: Bool, _ message: String) throws {
            if !holds { throw CheckpointError(.invalidConfiguration, message, file: url.path) }
        }
        try require(peft_type == "LORA", "is of type \(peft_type); only LORA can be loaded")
        try require((1...4096).contains(r), "r is \(r), expected 1…4096")
        try require(lora_alpha.isFinite, "lora_alpha is \(lora_alpha)")
        try require(use_dora != true, "use_dora is true; weight-decomposed adapters cannot be loaded")
        try require(lora_bias != true && (bias ?? "none") == "none", "adapters with trained biases cannot be loaded")
        try require((modules_to_save ?? []).isEmpty, "modules_to_save names \(modules_to_save ?? []); only adapters can be loaded")
        try require(
            (rank_pattern ?? [:]).isEmpty && (alpha_pattern ?? [:]).isEmpty,
            "rank_pattern and alpha_pattern are not supported; all adapters have one rank")
        try require(fan_in_fan_out != true, "fan_in_fan_out is true; a BERT's weights are [out, in]")
    }

    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
