package import Checkpoints
import Layers
package import TensorCore

/// The trained part of a BERT: a private copy of the layers that change, above the frozen encoder that all share.
///
/// It takes the frozen encoder's hidden states at `trunk` and returns those of the top, or begins at the tokens when the embeddings
/// are trained. The forward pass is the frozen encoder's.
package final class TrainableBert {
    /// The tap of the frozen encoder that this continues; nil when it begins at the tokens.
    package let trunk: Int?
    /// What is trained, under the checkpoint's names; adapters as `lora_A` and `lora_B` beside the weight they adapt.
    package let parameters: [Parameter]
    private let embeddings: BertEmbeddings?
    private let stack: [BertLayer]
    private let pooler: Linear?
    package let tuning: FineTuning
    /// Of the whole encoder.
    package let layers: Int
    private let isCheckpointing: Bool
    /// What is trained of each layer of the stack.
    private let layerParameters: [[Tensor]]

    /// - Parameter checkpointing: what a layer computes on the way is forgotten, and computed again in the backward pass.
    /// - Throws: `CheckpointError` when tensors are missing or mis-shaped, or when more layers are asked for than there are.
    package init(
        configuration: BertConfiguration, weights: Safetensors, tuning: FineTuning, seed: UInt64, checkpointing: Bool = false
    ) throws {
        let layers = configuration.layers
        let firstTrained: Int
        switch tuning.depth {
        case .none: firstTrained = layers
        case .top(let count):
            guard (0...layers).contains(count) else {
                throw CheckpointError(
                    .invalidConfiguration, "\(count) layers were to be trained; the encoder has \(layers)",
                    file: weights.file)
            }
            firstTrained = layers - count
        case .all: firstTrained = 0
        }
        let beginsAtTokens = tuning.depth == .all
        var firstAdapted = layers
        if let lowRank = tuning.lowRank {
            let adapted = lowRank.top ?? layers
            guard (1...layers).contains(adapted) else {
                throw CheckpointError(
                    .invalidConfiguration, "\(adapted) layers were to have adapters; the encoder has \(layers)",
                    file: weights.file)
            }
            firstAdapted = layers - adapted
        }
        let first = min(firstTrained, firstAdapted)
        let prefix = { (index: Int) in "encoder.layer.\(index)." }
        let trainedPrefixes =
            (firstTrained..<layers).map(prefix) + ["pooler."] + (beginsAtTokens ? ["embeddings."] : [])
        let scope = try ParameterScope(
            fineTuning: weights, renames: BertEncoder.renames, seed: seed,
            trains: { name in trainedPrefixes.contains { name.hasPrefix($0) } },
            adds: { $0.hasSuffix(".lora_A") || $0.hasSuffix(".lora_B") })
        embeddings = beginsAtTokens ? BertEmbeddings(configuration, in: scope.scope("embeddings")) : nil
        let loaded = (first..<layers).map { index in
            LoadedBertLayer(
                configuration, lowRank: index < firstAdapted ? nil : tuning.lowRank, in: scope.scope("encoder").scope("layer", index))
        }
        pooler =
            tuning.pooler
            ? Linear(configuration.hiddenSize, configuration.hiddenSize, in: scope.scope("pooler").scope("dense")) : nil
        let kept = Set((first..<layers).map(prefix))
        try scope.finish { name in
            name.hasPrefix("pooler.") || name.hasPrefix("cls.") || name.hasPrefix("classifier.")
                || name.hasPrefix("embeddings.") && !beginsAtTokens
                || name.hasPrefix("encoder.layer.") && !kept.contains { name.hasPrefix($0) }
        }
        stack = loaded.map { BertLayer(trained: $0, configuration) }
        trunk = beginsAtTokens ? nil : first
        parameters = scope.parameters.filter(\.isTrainable)
        self.tuning = tuning
        self.layers = layers
        isCheckpointing = checkpointing
        layerParameters = (first..<layers).map { index in
            scope.parameters.filter { $0.isTrainable && $0.name.hasPrefix(prefix(index)) }.map(\.value)
        }
    }

    /// Hidden states `[tokens, width]` of the top.
    package func callAsFunction(_ batch: PackedTokens, over encoder: any Encoder) -> Tensor {
        if let embeddings { return self(embeddings(batch), batch.offsets) }
        guard let trunk, let hidden = encoder.hiddenStates(batch, taps: [trunk])[trunk] else {
            preconditionFailure("an encoder with \(encoder.layers) layers has no tap \(trunk ?? 0)")
        }
        return self(hidden, batch.offsets)
    }

    /// From the hidden states at `trunk`, which may come from the feature cache, to those of the top.
    package func callAsFunction(_ hidden: Tensor, _ offsets: SequenceOffsets) -> Tensor {
        guard isCheckpointing else { return stack.reduce(hidden) { $1($0, offsets) } }
        return zip(stack, layerParameters).reduce(hidden) { hidden, layer in
            Recomputed(layer.1) { layer.0($0, offsets) }(hidden)
        }
    }

    /// `tanh(W h + b)` of each sequence's first token: `[sequences, width]`. Only when the pooler is trained.
    package func pooled(_ hidden: Tensor, _ offsets: SequenceOffsets) -> Tensor {
        guard let pooler else { preconditionFailure("the pooler was not loaded; ask for it in FineTuning") }
        return Tanh()(pooler(Pooling(mode: .cls, normalise: false)(hidden, offsets)))
    }

    /// Layers between a parameter and the top: 0 in the top layer, and above it; the embeddings lie deepest.
    package func depth(of parameter: Parameter) -> Int {
        let parts = parameter.name.split(separator: ".")
        if parts.first == "embeddings" { return layers }
        guard parts.count > 2, parts[0] == "encoder", let index = Int(parts[2]) else { return 0 }
        return layers - 1 - index
    }

    /// Weights with their adapters added in: by layer and map.
    package func mergedWeights() -> [(layer: Int, target: FineTuning.Target, weight: Tensor)] {
        stack.enumerated().flatMap { index, layer in
            layer.adapted.sorted { $0.key.rawValue < $1.key.rawValue }.compactMap { target, projection in
                projection.adapter.map { ((trunk ?? 0) + index, target, $0.merged(into: projection.weight)) }
            }
        }
    }
}
