package import Checkpoints
import Layers
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
        let loadedEmbeddings = LoadedBertEmbeddings(configuration, in: scope.scope("embeddings"))
        let loadedLayers = (0..<configuration.layers).map { index in
            LoadedBertLayer(configuration, in: scope.scope("encoder").scope("layer", index))
        }
        // The pooler and heads of pretraining are not part of the encoder.
        try scope.finish { $0.hasPrefix("pooler.") || $0.hasPrefix("cls.") || $0.hasPrefix("classifier.") }
        parameterCount = scope.parameters.reduce(0) { $0 + $1.value.count }
        // Only now: nothing is packed from a checkpoint that does not fit.
        embeddings = BertEmbeddings(loadedEmbeddings)
        stack = loadedLayers.map { BertLayer($0, configuration) }
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

private struct LoadedBertEmbeddings {
    let words: Parameter, positions: Parameter, types: Parameter
    let norm: LayerNorm

    init(_ configuration: BertConfiguration, in scope: ParameterScope) {
        let width = configuration.hiddenSize
        func table(_ name: String, _ rows: Int) -> Parameter {
            scope.scope(name).parameter("weight", [rows, width], initial: .zeros)
        }
        words = table("word_embeddings", configuration.vocabularySize)
        positions = table("position_embeddings", configuration.positions)
        types = table("token_type_embeddings", configuration.tokenTypes)
        norm = LayerNorm(width, eps: configuration.layerNormEps, in: scope.scope("LayerNorm"))
    }
}

/// Word + position + token-type embeddings, normalised: `[tokens, width]`.
private struct BertEmbeddings {
    let loaded: LoadedBertEmbeddings

    init(_ loaded: LoadedBertEmbeddings) { self.loaded = loaded }

    func callAsFunction(_ batch: PackedTokens) -> Tensor {
        let words = Embedding(batch.ids)(loaded.words.value)
        let types = Embedding(batch.typeIDs)(loaded.types.value)
        let positions = Embedding(batch.positions)(loaded.positions.value)
        // In the order of the reference implementation: rounding is part of being equal to it.
        return loaded.norm(Add()(words, types), residual: positions)
    }
}

private struct LoadedBertLayer {
    let query: Linear, key: Linear, value: Linear, attentionOutput: Linear
    let attentionNorm: LayerNorm
    let intermediate: Linear, output: Linear
    let outputNorm: LayerNorm

    init(_ configuration: BertConfiguration, in scope: ParameterScope) {
        let width = configuration.hiddenSize, inner = configuration.intermediateSize, eps = configuration.layerNormEps
        let attention = scope.scope("attention")
        query = Linear(width, width, in: attention.scope("self").scope("query"))
        key = Linear(width, width, in: attention.scope("self").scope("key"))
        value = Linear(width, width, in: attention.scope("self").scope("value"))
        attentionOutput = Linear(width, width, in: attention.scope("output").scope("dense"))
        attentionNorm = LayerNorm(width, eps: eps, in: attention.scope("output").scope("LayerNorm"))
        intermediate = Linear(width, inner, in: scope.scope("intermediate").scope("dense"))
        output = Linear(inner, width, in: scope.scope("output").scope("dense"))
        outputNorm = LayerNorm(width, eps: eps, in: scope.scope("output").scope("LayerNorm"))
    }
}

/// One post-norm transformer layer over packed sequences: `[tokens, width]` → `[tokens, width]`.
private struct BertLayer {
    let projections: FrozenLinear, attentionOutput: FrozenLinear
    let intermediate: FrozenLinear, output: FrozenLinear
    let attentionNorm: LayerNorm, outputNorm: LayerNorm
    let width: Int, heads: Int
    let activation: BertConfiguration.Activation

    init(_ loaded: LoadedBertLayer, _ configuration: BertConfiguration) {
        projections = Linear.frozen([loaded.query, loaded.key, loaded.value])
        attentionOutput = Linear.frozen([loaded.attentionOutput])
        intermediate = Linear.frozen([loaded.intermediate])
        output = Linear.frozen([loaded.output])
        attentionNorm = loaded.attentionNorm
        outputNorm = loaded.outputNorm
        width = configuration.hiddenSize
        heads = configuration.heads
        activation = configuration.activation
    }

    func callAsFunction(_ x: Tensor, _ offsets: SequenceOffsets) -> Tensor {
        let projected = PackedLinear(projections)(x)
        let context = PackedAttention(offsets, heads: heads, width: width)(
            projected.columns(0..<width), projected.columns(width..<2 * width), projected.columns(2 * width..<3 * width))
        let attended = attentionNorm(PackedLinear(attentionOutput)(context), residual: x)
        let inner: Tensor
        switch activation {
        case .gelu: inner = PackedLinear(intermediate, activation: .gelu)(attended)
        case .relu: inner = ReLU()(PackedLinear(intermediate)(attended))
        }
        return outputNorm(PackedLinear(output)(inner), residual: attended)
    }
}
