package import Checkpoints
import Layers
package import TensorCore

/// BERT (Devlin et al. 2019), encoder only, frozen. Weights under the names of Hugging Face's `BertModel`.
package final class BertEncoder: Encoder, @unchecked Sendable {
    // `@unchecked`: every tensor is written while loading and only read afterwards.
    private enum Stack {
        case fp32([BertLayer])
        case int8([Int8BertLayer])
    }

    let configuration: BertConfiguration
    private let embeddings: BertEmbeddings
    private let stack: Stack
    let weights: Safetensors
    package let parameterCount: Int
    package let weightMemory: WeightMemory
    /// Whether some of its layers were trained from another encoder's, whose memory it shares.
    let isAdapted: Bool

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

    /// - Throws: `CheckpointError` listing missing, mis-shaped and unused tensors; `PrecisionError` when a matrix is too deep for int8.
    package init(configuration: BertConfiguration, weights: Safetensors, precision: Precision = .fp32) throws {
        if precision == .int8, max(configuration.hiddenSize, configuration.intermediateSize) > Int8Matrix.longestDepth {
            throw PrecisionError(precision, "A BERT with an intermediate_size of \(configuration.intermediateSize)")
        }
        self.configuration = configuration
        self.weights = weights
        isAdapted = false
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
        let packed: Int
        switch precision {
        case .fp32:
            let layers = loadedLayers.map { BertLayer(frozen: $0, configuration) }
            packed = layers.reduce(0) { $0 + $1.byteCount }
            stack = .fp32(layers)
        case .int8:
            let layers = loadedLayers.map { Int8BertLayer($0, configuration) }
            packed = layers.reduce(0) { $0 + $1.byteCount }
            stack = .int8(layers)
        }
        // What is packed is not read from the file again: the tables, and the scales and shifts of the norms, are.
        let matrices = scope.parameters.filter { $0.name.hasPrefix("encoder.") && !$0.name.contains("LayerNorm") }
        let mapped = parameterCount - matrices.reduce(0) { $0 + $1.value.count }
        weightMemory = WeightMemory(packed: packed, mapped: mapped * MemoryLayout<Float>.stride)
        // Packed weights replace the mapped ones; their pages need not stay in memory.
        weights.releasePages()
    }

    /// This encoder with other tensors in layers above `cut`, packed anew; everything else is shared.
    ///
    /// - Parameter tensors: by the checkpoint's names, without prefixes.
    /// - Throws: `CheckpointError` for a tensor that is none of those layers', or of another shape.
    func replacing(_ tensors: [String: Tensor], above cut: Int) throws -> BertEncoder {
        let scope = try ParameterScope(frozen: weights, renames: Self.renames, replacing: tensors)
        let loaded = (cut..<layers).map { index in
            LoadedBertLayer(configuration, in: scope.scope("encoder").scope("layer", index))
        }
        try scope.finish { _ in true }
        let known = Set(scope.parameters.map(\.name)), strange = tensors.keys.filter { !known.contains($0) }.sorted()
        guard strange.isEmpty else {
            throw CheckpointError(
                .unusedTensor, "changes \(strange.prefix(10).joined(separator: ", ")), which no layer above \(cut) has")
        }
        return BertEncoder(self, loaded, above: cut)
    }

    private init(_ base: BertEncoder, _ loaded: [LoadedBertLayer], above cut: Int) {
        (configuration, embeddings, weights) = (base.configuration, base.embeddings, base.weights)
        (parameterCount, isAdapted) = (base.parameterCount, true)
        let packed: Int
        switch base.stack {
        case .fp32(let layers):
            let own = loaded.map { BertLayer(frozen: $0, base.configuration) }
            packed = own.reduce(0) { $0 + $1.byteCount }
            stack = .fp32(layers.prefix(cut) + own)
        case .int8(let layers):
            let own = loaded.map { Int8BertLayer($0, base.configuration) }
            packed = own.reduce(0) { $0 + $1.byteCount }
            stack = .int8(layers.prefix(cut) + own)
        }
        weightMemory = WeightMemory(packed: packed, mapped: 0)
        weights.releasePages()
    }

    package var precision: Precision {
        switch stack {
        case .fp32: .fp32
        case .int8: .int8
        }
    }

    package func releasePages() { weights.releasePages() }

    package func hiddenStates(_ batch: PackedTokens, taps: Set<Int>) -> [Int: Tensor] {
        let offsets = batch.offsets, deepest = taps.max() ?? 0
        var states: [Int: Tensor] = [:]
        func keep(_ hidden: Tensor, _ tap: Int) { if taps.contains(tap) { states[tap] = hidden } }
        let embedded = embeddings(batch)
        keep(embedded, 0)
        switch stack {
        case .fp32(let layers):
            var hidden = embedded
            for (index, layer) in layers.prefix(deepest).enumerated() {
                hidden = layer(hidden, offsets)
                keep(hidden, index + 1)
            }
        case .int8(let layers):
            if deepest == 0 { break }
            var hidden = Int8HiddenStates(embedded)
            for (index, layer) in layers.prefix(deepest).enumerated() {
                hidden = layer(hidden, offsets)
                keep(hidden.values, index + 1)
            }
        }
        return states
    }
}
