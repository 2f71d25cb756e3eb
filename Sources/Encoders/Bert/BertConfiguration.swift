import Checkpoints
package import Foundation

/// The part of a BERT `config.json` that decides the computation. Nothing is guessed: an absent or unknown value throws.
package struct BertConfiguration: Decodable, Sendable, Equatable {
    package enum Activation: String, Decodable, Sendable {
        case gelu, relu
    }

    package let hiddenSize: Int
    package let layers: Int
    package let heads: Int
    package let intermediateSize: Int
    package let activation: Activation
    package let vocabularySize: Int
    package let positions: Int
    package let tokenTypes: Int
    package let layerNormEps: Float

    private enum CodingKeys: String, CodingKey {
        case hiddenSize = "hidden_size"
        case layers = "num_hidden_layers"
        case heads = "num_attention_heads"
        case intermediateSize = "intermediate_size"
        case activation = "hidden_act"
        case vocabularySize = "vocab_size"
        case positions = "max_position_embeddings"
        case tokenTypes = "type_vocab_size"
        case layerNormEps = "layer_norm_eps"
    }

    /// Keys that change the computation in ways this implementation does not have.
    private struct Variants: Decodable {
        var position_embedding_type: String?
        var is_decoder: Bool?
    }

    /// - Throws: `CheckpointError.invalidConfiguration` naming the key.
    package init(json: Data) throws {
        let variants: Variants
        do {
            self = try JSONDecoder().decode(Self.self, from: json)
            variants = try JSONDecoder().decode(Variants.self, from: json)
        } catch let error as DecodingError {
            throw CheckpointError(.invalidConfiguration, "config.json: \(error.plainDescription)", cause: error)
        }
        func require(_ holds: Bool, _ message: String) throws {
            if !holds { throw CheckpointError(.invalidConfiguration, "config.json: \(message)") }
        }
        for (name, value, limit) in [
            ("hidden_size", hiddenSize, 1 << 16), ("num_hidden_layers", layers, 1 << 10), ("num_attention_heads", heads, 1 << 10),
            ("intermediate_size", intermediateSize, 1 << 18), ("vocab_size", vocabularySize, 1 << 24),
            ("max_position_embeddings", positions, 1 << 20), ("type_vocab_size", tokenTypes, 1 << 10),
        ] {
            try require(value > 0 && value <= limit, "\(name) is \(value), expected 1…\(limit)")
        }
        try require(hiddenSize % heads == 0, "hidden_size \(hiddenSize) is not a multiple of num_attention_heads \(heads)")
        try require(layerNormEps > 0 && layerNormEps < 1, "layer_norm_eps is \(layerNormEps)")
        let positionType = variants.position_embedding_type ?? "absolute"
        try require(positionType == "absolute", "position_embedding_type \"\(positionType)\" is not supported, only \"absolute\"")
        try require(variants.is_decoder != true, "is_decoder is true; only encoders can be loaded")
    }
}

extension DecodingError {
    /// One line that names the key and says what is wrong with it.
    var plainDescription: String {
        func path(_ context: Context) -> String { context.codingPath.map(\.stringValue).joined(separator: ".") }
        switch self {
        case .keyNotFound(let key, _): return "\"\(key.stringValue)\" is missing"
        case .typeMismatch(_, let context): return "\"\(path(context))\" has the wrong type"
        case .valueNotFound(_, let context): return "\"\(path(context))\" is null"
        case .dataCorrupted(let context):
            return path(context).isEmpty ? "not valid JSON" : "\"\(path(context))\": \(context.debugDescription)"
        @unknown default: return "cannot be decoded"
        }
    }
}
