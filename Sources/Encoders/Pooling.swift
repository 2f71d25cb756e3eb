import Checkpoints
package import Foundation
package import TensorCore

/// How the hidden states of a sequence become one vector.
package struct Pooling: Sendable, Equatable {
    package enum Mode: String, Sendable {
        /// Mean over all tokens, special ones included.
        case mean
        /// The first token.
        case cls
    }

    package var mode: Mode
    package var normalise: Bool

    package init(mode: Mode, normalise: Bool) {
        self.mode = mode
        self.normalise = normalise
    }

    /// Stable name, part of the feature cache's key: `mean+l2`.
    package var name: String { normalise ? "\(mode.rawValue)+l2" : mode.rawValue }

    /// Packed `[tokens, width]` → `[sequences, width]`.
    package func callAsFunction(_ hidden: Tensor, _ offsets: SequenceOffsets) -> Tensor {
        let pooled: Tensor
        switch mode {
        case .mean: pooled = MeanPooling(offsets)(hidden)
        case .cls: pooled = Embedding((0..<offsets.count).map { Int32(offsets[$0].lowerBound) })(hidden)
        }
        return normalise ? L2Normalisation()(pooled) : pooled
    }

    /// Reads what sentence-transformers wrote beside the weights (`modules.json`, `1_Pooling/config.json`). Without it: the mean,
    /// not normalised, as sentence-transformers does with a plain encoder.
    ///
    /// - Throws: `CheckpointError` when the folder asks for a module or a mode that is not supported.
    package init(folder: URL) throws {
        mode = .mean
        normalise = false
        let modulesURL = folder.appending(path: "modules.json")
        guard FileManager.default.fileExists(atPath: modulesURL.path) else { return }
        struct Module: Decodable { let path: String, type: String }
        for module in try Self.decode([Module].self, modulesURL) {
            switch module.type.split(separator: ".").last.map(String.init) ?? "" {
            case "Transformer": break
            case "Pooling":
                // A path out of the folder would read what the user did not offer.
                guard !module.path.contains(".."), !module.path.hasPrefix("/") else {
                    throw CheckpointError(.invalidConfiguration, "modules.json: path \"\(module.path)\" leaves the folder")
                }
                mode = try Self.mode(folder.appending(path: "\(module.path)/config.json"))
            case "Normalize": normalise = true
            default:
                throw CheckpointError(
                    .invalidConfiguration,
                    "modules.json asks for \(module.type); supported are Transformer, Pooling and Normalize",
                    file: modulesURL.path)
            }
        }
    }

    private static func mode(_ url: URL) throws -> Mode {
        struct Modes: Decodable {
            var pooling_mode_cls_token: Bool?
            var pooling_mode_mean_tokens: Bool?
            var pooling_mode_max_tokens: Bool?
            var pooling_mode_mean_sqrt_len_tokens: Bool?
            var pooling_mode_weightedmean_tokens: Bool?
            var pooling_mode_lasttoken: Bool?
            var pooling_mode: String?
        }
        let modes = try decode(Modes.self, url)
        let others = [
            modes.pooling_mode_max_tokens, modes.pooling_mode_mean_sqrt_len_tokens, modes.pooling_mode_weightedmean_tokens,
            modes.pooling_mode_lasttoken,
        ]
        let mean = modes.pooling_mode_mean_tokens == true || modes.pooling_mode == "mean"
        let cls = modes.pooling_mode_cls_token == true || modes.pooling_mode == "cls"
        guard mean != cls, !others.contains(true) else {
            throw CheckpointError(
                .invalidConfiguration, "asks for a pooling that is not supported; supported are mean and cls, one of them",
                file: url.path)
        }
        return mean ? .mean : .cls
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ url: URL) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(contentsOf: url))
        } catch let error as DecodingError {
            throw CheckpointError(.invalidConfiguration, error.plainDescription, file: url.path, cause: error)
        } catch {
            throw CheckpointError(.unreadable, "cannot be read", file: url.path, cause: error)
        }
    }
}
