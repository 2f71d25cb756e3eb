package import Checkpoints
package import Foundation

/// The architectures that have a native implementation. Adding one: a folder beside `Bert/`, and a line here.
package struct EncoderRegistry: Sendable {
    package enum Build: Sendable {
        case text(@Sendable (_ configuration: Data, _ weights: Safetensors, Precision) throws -> any Encoder)
        case image(@Sendable (_ configuration: Data, _ weights: Safetensors) throws -> any VisionNetwork)

        package var modality: Modality {
            switch self {
            case .text: .text
            case .image: .image
            }
        }
    }

    package static let native = EncoderRegistry(architectures: [
        "bert": .text { try BertEncoder(configuration: BertConfiguration(json: $0), weights: $1, precision: $2) },
        "cifar-resnet": .image { try CifarResNet(configuration: CifarResNetConfiguration(json: $0), weights: $1) },
        "latent": .image { try LatentNetwork(configuration: LatentConfiguration(json: $0), weights: $1) },
        "mobilenet_v2": .image { try MobileNetV2(configuration: MobileNetV2Configuration(json: $0), weights: $1) },
        "resnet": .image { try ResNet(configuration: ResNetConfiguration(json: $0), weights: $1) },
    ])

    package let architectures: [String: Build]

    /// What the encoder of a `config.json` reads.
    /// - Throws: `CheckpointError` when it names no architecture, or one that is not supported.
    package func modality(_ configuration: Data) throws -> Modality { try entry(configuration).build.modality }

    /// A text encoder.
    /// - Throws: `CheckpointError`: no, another or a damaged architecture; `PrecisionError`: one that has no such precision.
    package func build(
        configuration: Data, weights: Safetensors, precision: Precision = .fp32
    ) throws -> any Encoder {
        let (type, build) = try entry(configuration)
        guard case .text(let build) = build else { throw Self.mismatch(type, is: .image, expected: .text) }
        return try build(configuration, weights, precision)
    }

    /// An image encoder's network.
    /// - Throws: `CheckpointError`, as above.
    package func buildVision(configuration: Data, weights: Safetensors) throws -> any VisionNetwork {
        let (type, build) = try entry(configuration)
        guard case .image(let build) = build else { throw Self.mismatch(type, is: .text, expected: .image) }
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

    private func entry(_ configuration: Data) throws -> (type: String, build: Build) {
        let type = try architecture(configuration)
        guard let build = architectures[type] else {
            throw CheckpointError(
                .invalidConfiguration,
                "config.json says model_type \"\(type)\"; supported are: \(architectures.keys.sorted().joined(separator: ", "))"
            )
        }
        return (type, build)
    }

    private static func mismatch(_ type: String, is modality: Modality, expected: Modality) -> CheckpointError {
        CheckpointError(
            .invalidConfiguration,
            "config.json says model_type \"\(type)\", which reads \(modality.rawValue)s; one that reads \(expected.rawValue)s is needed"
        )
    }
}
