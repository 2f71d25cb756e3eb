import Checkpoints
import Layers
import TensorCore

/// The tables of a BERT's embeddings: word + position + token type, normalised: `[tokens, width]`.
struct BertEmbeddings {
    private let words: Parameter, positions: Parameter, types: Parameter
    private let norm: LayerNorm

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

    func callAsFunction(_ batch: PackedTokens) -> Tensor {
        let words = Embedding(batch.ids)(words.value)
        let types = Embedding(batch.typeIDs)(types.value)
        let positions = Embedding(batch.positions)(positions.value)
        // In the order of the reference implementation: rounding is part of being equal to it.
        return norm(Add()(words, types), residual: positions)
    }
}

/// The weights of one layer under the checkpoint's names, before anything is packed.
struct LoadedBertLayer {
    let query: Linear, key: Linear, value: Linear, attentionOutput: Linear
    let attentionNorm: LayerNorm
    let intermediate: Linear, output: Linear
    let outputNorm: LayerNorm
    /// Low-rank adapters by the map's name.
    private(set) var adapters: [FineTuning.Target: LowRankAdapter] = [:]

    init(_ configuration: BertConfiguration, lowRank: FineTuning.LowRank? = nil, in scope: ParameterScope) {
        let width = configuration.hiddenSize, inner = configuration.intermediateSize, eps = configuration.layerNormEps
        var adapters: [FineTuning.Target: LowRankAdapter] = [:]
        func linear(_ target: FineTuning.Target, _ input: Int, _ output: Int, _ scope: ParameterScope) -> Linear {
            if let lowRank, lowRank.targets.contains(target) {
                adapters[target] = LowRankAdapter(input, output, rank: lowRank.rank, alpha: lowRank.alpha, in: scope)
            }
            return Linear(input, output, in: scope)
        }
        let attention = scope.scope("attention")
        query = linear(.query, width, width, attention.scope("self").scope("query"))
        key = linear(.key, width, width, attention.scope("self").scope("key"))
        value = linear(.value, width, width, attention.scope("self").scope("value"))
        attentionOutput = linear(.attentionOutput, width, width, attention.scope("output").scope("dense"))
        attentionNorm = LayerNorm(width, eps: eps, in: attention.scope("output").scope("LayerNorm"))
        intermediate = linear(.intermediate, width, inner, scope.scope("intermediate").scope("dense"))
        output = linear(.output, inner, width, scope.scope("output").scope("dense"))
        outputNorm = LayerNorm(width, eps: eps, in: scope.scope("output").scope("LayerNorm"))
        self.adapters = adapters
    }
}

/// One post-norm transformer layer over packed sequences: `[tokens, width]` → `[tokens, width]`.
struct BertLayer {
    /// Queries, keys and values.
    private enum Inputs {
        /// One frozen product for all three, its output cut by views. Views carry no history: for inference only.
        case joined(FrozenLinear)
        case separate(Projection, Projection, Projection)
    }

    private let inputs: Inputs
    private let attentionOutput: Projection, intermediate: Projection, output: Projection
    private let attentionNorm: LayerNorm, outputNorm: LayerNorm
    private let width: Int, heads: Int
    private let activation: BertConfiguration.Activation
    /// The maps that have an adapter, by name.
    let adapted: [FineTuning.Target: Projection]

    /// For inference, all weights frozen.
    init(frozen loaded: LoadedBertLayer, _ configuration: BertConfiguration) {
        self.init(
            loaded, .joined(Linear.frozen([loaded.query, loaded.key, loaded.value])), configuration, adapted: [:],
            passesGradients: false)
    }

    /// For training: gradients pass, to the input and to the weights that are trained.
    init(trained loaded: LoadedBertLayer, _ configuration: BertConfiguration) {
        let query = Projection(loaded.query, adapter: loaded.adapters[.query], passesGradients: true)
        let key = Projection(loaded.key, adapter: loaded.adapters[.key], passesGradients: true)
        let value = Projection(loaded.value, adapter: loaded.adapters[.value], passesGradients: true)
        self.init(
            loaded, .separate(query, key, value), configuration, adapted: [.query: query, .key: key, .value: value],
            passesGradients: true)
    }

    private init(
        _ loaded: LoadedBertLayer, _ inputs: Inputs, _ configuration: BertConfiguration,
        adapted: [FineTuning.Target: Projection], passesGradients: Bool
    ) {
        func projection(_ linear: Linear, _ target: FineTuning.Target) -> Projection {
            Projection(linear, adapter: loaded.adapters[target], passesGradients: passesGradients)
        }
        self.inputs = inputs
        attentionOutput = projection(loaded.attentionOutput, .attentionOutput)
        intermediate = projection(loaded.intermediate, .intermediate)
        output = projection(loaded.output, .output)
        attentionNorm = loaded.attentionNorm
        outputNorm = loaded.outputNorm
        width = configuration.hiddenSize
        heads = configuration.heads
        activation = configuration.activation
        var all = adapted
        (all[.attentionOutput], all[.intermediate], all[.output]) = (attentionOutput, intermediate, output)
        self.adapted = all.filter { $0.value.adapter != nil }
    }

    /// Bytes of the packed matrices and their biases.
    var byteCount: Int {
        let maps = [attentionOutput, intermediate, output].reduce(0) { $0 + $1.byteCount }
        switch inputs {
        case .joined(let projections): return maps + projections.byteCount
        case .separate(let query, let key, let value): return maps + query.byteCount + key.byteCount + value.byteCount
        }
    }

    func callAsFunction(_ x: Tensor, _ offsets: SequenceOffsets) -> Tensor {
        let attention = PackedAttention(offsets, heads: heads, width: width)
        let context: Tensor
        switch inputs {
        case .joined(let projections):
            precondition(!x.isTracked, "a layer packed for inference was given a tracked input")
            let projected = PackedLinear(projections)(x)
            context = attention(
                projected.columns(0..<width), projected.columns(width..<2 * width),
                projected.columns(2 * width..<3 * width))
        case .separate(let query, let key, let value):
            context = attention(query(x), key(x), value(x))
        }
        let attended = attentionNorm(attentionOutput(context), residual: x)
        let inner: Tensor
        switch activation {
        case .gelu: inner = intermediate(attended, activation: .gelu)
        case .relu: inner = ReLU()(intermediate(attended))
        }
        return outputNorm(output(inner), residual: attended)
    }
}
