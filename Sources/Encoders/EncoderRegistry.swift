package import Checkpoints
package import Foundation

/// The architectures that have a native implementation. Adding one: a folder beside `Bert/`, and a line here.
package struct EncoderRegistry: Sendable {
    package typealias Build = @Sendable (_ configuration: Data, _ weights: Safetensors) throws -> any Encoder

    package static let native = EncoderRegistry(architectures: [
        "bert": { try BertEncoder(configuration: BertConfiguration(json: $0), weights: $1) }
    ])

    package let architectures: [String: Build]

    /// - Throws: `CheckpointError` when `config.json` names no architecture, or one that is not supported.
    package func build(configuration: Data, weights: Safetensors) throws -> any Encoder {
        let type = try architecture(configuration)
        guard let build = architectures[type] else {
            throw CheckpointError(
                .invalidConfiguration,
                "config.json says model_type \"\(type)\"; supported are: \(architectures.keys.sorted().joined(separator: ", "))")
        }
        return try build(configuration, weights)
    }

    /// The `model_type` of a `config.json`.
    package func architecture(_ configuration: Data) throws -> String {
        struct Kind: Decodable { let model_type: String }
        do {
            return try JSONDecoder().decode(Kind.self, from: configuration).model_type
        } catch {
            throw CheckpointError(
                .invalidConfiguration, "config.json is not a JSON object with a \"model_type\"", cause: error)
        }
    }
}
