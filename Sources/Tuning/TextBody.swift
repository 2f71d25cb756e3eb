import Checkpoints
package import Encoders
package import Foundation
package import TensorCore
package import Training

/// What the trained part of a text encoder reads of a data set.
package enum BodyInputs {
    case texts([TokenizedText])
    /// Hidden states where the frozen part ends, from the cache: the part below need not be computed in any step.
    case states(TokenStates)

    package var rows: Int {
        switch self {
        case .texts(let texts): texts.count
        case .states(let states): states.rows
        }
    }
}

/// The trained part of a text encoder as the body of a joint training: adapters, or private top layers, then the encoder's pooling.
package final class TextBody: TrainableBody {
    package let bert: TrainableBert
    private let encoder: TextEncoder
    /// By data set; nil for one that is not the body's.
    private let inputs: [BodyInputs?]
    package let parameters: [BodyParameter]

    /// - Parameter inputs: of each data set, in the trainer's order.
    /// - Throws: `CheckpointError` for an encoder that cannot be trained, or more layers than it has.
    package init(
        _ encoder: TextEncoder, tuning: FineTuning, seed: UInt64, inputs: [BodyInputs?], checkpointing: Bool = false
    ) throws {
        guard let frozen = encoder.encoder as? BertEncoder, frozen.precision == .fp32 else {
            throw CheckpointError(
                .invalidConfiguration,
                "an encoder of architecture \(encoder.architecture) in \(encoder.precision.rawValue) cannot be trained, only a bert in fp32")
        }
        self.encoder = encoder
        self.inputs = inputs
        let bert = try frozen.trainable(tuning, seed: seed, checkpointing: checkpointing)
        self.bert = bert
        parameters = bert.parameters.map { BodyParameter($0, depth: bert.depth(of: $0)) }
        for case .states(let states)? in inputs {
            precondition(bert.trunk != nil && states.width == encoder.width, "states do not go with \(tuning)")
        }
    }

    package var width: Int { encoder.width }

    /// The tap whose states the trained part reads; nil when it begins at the tokens. What lies below can come from the cache.
    package var trunk: Int? { bert.trunk }

    package func features(_ batch: [JointRows], dropoutSeed: UInt64?) throws -> Tensor {
        var parts: [Tensor] = [], lengths: [Int] = []
        for rows in batch {
            guard let inputs = inputs[rows.dataset] else { preconditionFailure("data set \(rows.dataset) is not the body's") }
            switch inputs {
            case .texts(let texts):
                var tokens = PackedTokens()
                for row in rows.rows {
                    tokens.append(ids: texts[row].ids, typeIDs: texts[row].typeIDs)
                    lengths.append(texts[row].count)
                }
                guard let trunk = bert.trunk else {
                    precondition(batch.count == 1, "a body that begins at the tokens reads one data set at a time")
                    return encoder.pooling(bert(tokens, over: encoder.encoder), tokens.offsets)
                }
                guard let hidden = encoder.encoder.hiddenStates(tokens, taps: [trunk])[trunk] else {
                    preconditionFailure("tap \(trunk) of \(encoder.encoder.layers)")
                }
                parts.append(hidden)
            case .states(let states):
                let packed = FeatureTable([.states(states)]).batch(rows.rows[...])
                parts.append(packed.packed(0))
                lengths += packed.lengths(0)
            }
        }
        let hidden = parts.count == 1 ? parts[0] : Concatenate(axis: 0).apply(parts), offsets = SequenceOffsets(lengths: lengths)
        return encoder.pooling(bert(hidden, offsets), offsets)
    }

    /// Writes what has been trained: an adapted encoder's folder, to be registered.
    ///
    /// - Parameters:
    ///   - base: the name of the encoder below, and the digest of its weights.
    ///   - source: where that came from.
    package func write(base name: String, digest: String, source: String, to folder: URL) throws {
        try AdaptedFolder.write(bert, base: name, digest: digest, source: source, to: folder)
    }
}
