import Checkpoints
package import Foundation
import Layers
import TensorCore

/// The encoder that an adapted one is a change of.
package struct AdaptedBase: Codable, Hashable, Sendable {
    package var name: String
    /// SHA-256 of its weights, 64 hexadecimal digits.
    package var digest: String
    /// The last tap whose features are the base's.
    package var cut: Int

    package init(name: String, digest: String, cut: Int) {
        self.name = name
        self.digest = digest
        self.cut = cut
    }
}

/// The folder of an encoder that was trained from another one. It holds only what has changed, and names its base:
/// `adapted.json`, and either a PEFT adapter or `adapted.safetensors` with the trained layers under the checkpoint's names.
package enum AdaptedFolder {
    package static let descriptionFile = "adapted.json"
    package static let layersFile = "adapted.safetensors"

    private struct Description: Codable {
        var format = 1
        var base: AdaptedBase
        var kind: Kind

        enum Kind: String, Codable { case lora, layers }
    }

    package static func isAdapted(_ folder: URL) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: descriptionFile).path)
    }

    /// The weights' file of a folder.
    package static func weightsFile(_ folder: URL) throws -> String {
        try description(folder).kind == .lora ? PeftAdapter.weightsFile : layersFile
    }

    /// The base of an adapted encoder.
    /// - Throws: `CheckpointError`: it is damaged, or of a newer format.
    package static func base(_ folder: URL) throws -> AdaptedBase { try description(folder).base }

    private static func description(_ folder: URL) throws -> Description {
        let url = folder.appending(path: descriptionFile), description: Description
        do {
            description = try JSONDecoder().decode(Description.self, from: Data(contentsOf: url))
        } catch let error as DecodingError {
            throw CheckpointError(.invalidConfiguration, error.plainDescription, file: url.path, cause: error)
        } catch {
            throw CheckpointError(.unreadable, "cannot be read", file: url.path, cause: error)
        }
        guard description.format == 1 else {
            throw CheckpointError(
                .invalidConfiguration, "has format \(description.format); this version reads 1. Update Hidra", file: url.path)
        }
        return description
    }

    /// Writes what has been trained into `folder`, which exists: adapters, or whole layers. The same weights give the same bytes.
    ///
    /// - Parameter source: where the base came from, for PEFT.
    package static func write(
        _ bert: TrainableBert, base name: String, digest: String, source: String, to folder: URL
    ) throws {
        precondition(
            bert.tuning.depth != .all && !bert.tuning.pooler && (bert.tuning.lowRank == nil) != (bert.tuning.depth == .none),
            "an adapted encoder has adapters or trained top layers: \(bert.tuning)")
        let isLowRank = bert.tuning.lowRank != nil
        if isLowRank {
            try PeftAdapter.write(bert, base: source, to: folder)
        } else {
            let tensors = Dictionary(uniqueKeysWithValues: bert.parameters.map { ($0.name, $0.value.detached) })
            try SafetensorsWriter.encode(tensors, metadata: ["format": "pt"]).write(to: folder.appending(path: layersFile))
        }
        try write(
            Description(
                base: AdaptedBase(name: name, digest: digest, cut: bert.trunk ?? 0), kind: isLowRank ? .lora : .layers),
            to: folder)
    }

    /// Makes an adapted encoder's folder of an adapter that PEFT has saved.
    ///
    /// - Parameters:
    ///   - source: a folder with `adapter_config.json` and `adapter_model.safetensors`.
    ///   - folder: exists, and is empty.
    /// - Throws: `CheckpointError`: it is no low-rank adapter of a BERT.
    package static func adopt(peft source: URL, base name: String, digest: String, to folder: URL) throws {
        let adapter = try PeftAdapter(folder: source)
        let layers = try adapter.maps.keys.map { name in
            let parts = name.split(separator: ".")
            guard parts.count > 3, parts[0] == "encoder", parts[1] == "layer", let layer = Int(parts[2]), layer >= 0 else {
                throw CheckpointError(.unusedTensor, "adapts \"\(name)\", which is no map of a BERT's layers", file: source.path)
            }
            return layer
        }
        for file in [PeftAdapter.configurationFile, PeftAdapter.weightsFile] {
            try FileManager.default.copyItem(at: source.appending(path: file), to: folder.appending(path: file))
        }
        try write(
            Description(base: AdaptedBase(name: name, digest: digest, cut: layers.min() ?? 0), kind: .lora), to: folder)
    }

    private static func write(_ description: Description, to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(description).write(to: folder.appending(path: descriptionFile))
    }

    /// The encoder, on the memory of its base wherever nothing has changed.
    ///
    /// - Throws: `CheckpointError` when the folder is damaged or does not fit the base.
    package static func load(_ folder: URL, base: TextEncoder) throws -> TextEncoder {
        guard let bert = base.encoder as? BertEncoder else {
            throw CheckpointError(
                .invalidConfiguration, "its base is of architecture \(base.architecture); only a bert can have been adapted",
                file: folder.path)
        }
        let description = try description(folder)
        guard (0..<bert.layers).contains(description.base.cut) else {
            throw CheckpointError(
                .invalidConfiguration, "its cut is \(description.base.cut), of \(bert.layers) layers", file: folder.path)
        }
        switch description.kind {
        case .layers:
            let file = try Safetensors(folder.appending(path: layersFile))
            // Copies of what is packed anyway: the mapping ends with this function.
            let tensors = Dictionary(uniqueKeysWithValues: try file.names.map { ($0, try file.tensor($0)) })
            return TextEncoder(base, try bert.replacing(tensors, above: description.base.cut))
        case .lora:
            let adapter = try PeftAdapter(folder: folder)
            return TextEncoder(base, try bert.replacing(try bert.merged(adapter), above: description.base.cut))
        }
    }
}

extension BertEncoder {
    /// A private copy of what `tuning` names, to be trained above this encoder.
    ///
    /// - Throws: `CheckpointError`, also for an encoder that is itself an adapted one.
    package func trainable(_ tuning: FineTuning, seed: UInt64, checkpointing: Bool = false) throws -> TrainableBert {
        guard !isAdapted else {
            throw CheckpointError(.invalidConfiguration, "an encoder that was trained from another one cannot be trained again; train its base")
        }
        return try TrainableBert(
            configuration: configuration, weights: weights, tuning: tuning, seed: seed, checkpointing: checkpointing)
    }

    /// Its weights with the adapters added in, by name.
    fileprivate func merged(_ adapter: PeftAdapter) throws -> [String: Tensor] {
        let names = try Rename.apply(Self.renames, to: weights.names)
        return Dictionary(
            uniqueKeysWithValues: try adapter.maps.map { name, map in
                guard let fileName = names[name] else {
                    throw CheckpointError(
                        .unusedTensor, "adapts \"\(name)\", which the base does not have", file: PeftAdapter.weightsFile)
                }
                let weight = try weights.tensor(fileName)
                guard weight.shape == [map.b.shape[0], map.a.shape[1]] else {
                    throw CheckpointError(
                        .shapeMismatch, "the adapter of \"\(name)\" is \([map.b.shape[0], map.a.shape[1]]), the base's weight \(weight.shape)",
                        file: PeftAdapter.weightsFile)
                }
                let merged = LowRankAdapter(
                    a: Parameter(name: "A", value: map.a), b: Parameter(name: "B", value: map.b), scale: adapter.scale)
                return (name, merged.merged(into: weight))
            })
    }
}

extension EncoderFolder {
    /// The encoder of an adapted folder.
    ///
    /// - Throws: `CheckpointError`, also for a base that reads no texts.
    package static func loadAdapted(_ folder: URL, base: any FeatureEncoder) throws -> any FeatureEncoder {
        guard let base = base as? TextEncoder else {
            throw CheckpointError(
                .invalidConfiguration, "its base reads \(base.modality.plural); only an encoder of texts can have been adapted",
                file: folder.path)
        }
        return try AdaptedFolder.load(folder, base: base)
    }
}
