package import Checkpoints
package import TensorCore

/// BERT (Devlin et al. 2019), encoder only, frozen. Weights under the names of Hugging Face's `BertModel`.
package final class BertEncoder: Encoder, @unchecked Sendable {
    // `@unchecked`: every tensor is written while loading and only read afterwards.
    private let configuration: BertConfiguration
    private let embeddings: BertEmbeddings
    private let stack: [BertLayer]
    private let weights: Safetensors
    package let parameterCount: Int

    package var width: Int { configuration.hiddenSize }
    package var layers: Int { configuration.layers }
    package var positions: Int { configuration.positions }
    package var vocabularySize: Int { configuration.vocabularySize }
    package var tokenTypes: Int { configuration.tokenTypes }

    static let renames: [Rename] = [
        // Checkpoints of BertFor…, and those converted from TensorFlow.
        .prefix("bert", to: ""),
        .component("gamma", to: "weight", under: "LayerNorm"),
        .component("beta", to: "bias", under: "LayerNorm"),
        // A buffer old checkpoints saved: 0, 1, 2, …
        .drop("embeddings.position_ids"),
    ]

    /// - Throws: `CheckpointError` listing missing, mis-shaped and unused tensors.
    package init(configuration: BertConfiguration, weights: Safetensors) throws {
        self.configuration = configuration
        self.weights = weights
        let scope = try ParameterScope(frozen: weights, renames: Self.renames)
        let loadedEmbeddings = BertEmbeddings(configuration, in: scope.scope("embeddings"))
        let loadedLayers = (0..<configuration.layers).map { index in
            LoadedBertLayer(configuration, in: scope.scope("encoder").scope("layer", index))
        }
        // The pooler and heads of pretraining are not part of the encoder.
        try scope.finish { $0.hasPrefix("pooler.") || $0.hasPrefix("cls.") || $0.hasPrefix("classifier.") }
        parameterCount = scope.parameters.reduce(0) { $0 + $1.value.count }
        // Only now: nothing is packed from a checkpoint that does not fit.
        embeddings = loadedEmbeddings
        stack = loadedLayers.map { BertLayer(frozen: $0, configuration) }
        // Packed weights replace the mapped ones; their pages need not stay in memory.
        weights.releasePages()
    }

    package func releasePages() { weights.releasePages() }

    package func hiddenStates(_ batch: PackedTokens, taps: Set<Int>) -> [Int: Tensor] {
        let offsets = batch.offsets
        var states: [Int: Tensor] = [:]
        var hidden = embeddings(batch)
        if taps.contains(0) { states[0] = hidden }
        for (index, layer) in stack.prefix(taps.max() ?? 0).enumerated() {
            hidden = layer(hidden, offsets)
            if taps.contains(index + 1) { states[index + 1] = hidden }
        }
        return states
    }
}
