import Checkpoints
import Foundation
import Graphs
import Layers
import TensorCore
import Training

/// Labels the words of a text: an emission for each word and label, then a linear-chain conditional random field, which knows what
/// follows what (Lafferty et al. 2001).
///
/// It reads one state for each word. Its output is `[words of all rows, labels]`, the emissions, rows laid end to end.
struct TaggerHead {
    private let hidden: Linear?
    private let emission: Linear
    private let dropout: Double
    /// `[labels]`, `[labels]`, `[from, to]`
    private let start: Parameter, end: Parameter, transitions: Parameter

    init(width: Int, hidden: Int, dropout: Double, tags: Int, in scope: ParameterScope) {
        self.hidden = hidden > 0 ? Linear(width, hidden, in: scope.scope("hidden")) : nil
        self.dropout = dropout
        emission = Linear(hidden > 0 ? hidden : width, tags, in: scope.scope("output"))
        let chain = scope.scope("chain")
        start = chain.parameter("start", [tags], initial: .zeros)
        end = chain.parameter("end", [tags], initial: .zeros)
        transitions = chain.parameter("transitions", [tags, tags], initial: .zeros)
    }

    func callAsFunction(_ batch: FeatureBatch, dropoutSeed: UInt64?) -> Tensor {
        var x = batch.packed(0)
        if let hidden { x = hidden.gelu(x) }
        if dropout > 0, let dropoutSeed { x = Dropout(rate: Float(dropout), seed: dropoutSeed)(x) }
        return emission(x)
    }

    /// Mean over the words, so that long texts weigh more, as they do when each word is learnt for itself.
    func loss(_ emissions: Tensor, _ tags: [[Int32]]) -> Tensor {
        let (padded, mask) = padded(emissions, tags.map(\.count)), longest = padded.shape[1]
        let all = tags.flatMap { $0 + [Int32](repeating: 0, count: longest - $0.count) }
        return LinearChainCRF(tags: all, mask: mask, over: .position)(padded, start.value, end.value, transitions.value)
    }

    func decode(_ emissions: Tensor, lengths: [Int]) -> [TagPath] {
        var paths: [TagPath] = [], first = 0
        // In blocks: short texts are not to be padded to the longest of all.
        for block in stride(from: 0, to: lengths.count, by: 64) {
            let own = Array(lengths[block..<min(block + 64, lengths.count)]), words = own.reduce(0, +)
            guard words > 0 else {
                paths += own.map { _ in TagPath(tags: [], score: 0, probabilities: []) }
                continue
            }
            let (padded, mask) = padded(emissions.rows(first..<first + words), own)
            paths += LinearChainCRF.decode(
                emissions: padded, start: start.value, end: end.value, transitions: transitions.value, mask: mask)
            first += words
        }
        return paths
    }

    /// `[rows, longest, labels]`; what is beyond a row repeats its first word, and the mask leaves it out.
    private func padded(_ emissions: Tensor, _ lengths: [Int]) -> (Tensor, mask: [Bool]) {
        let longest = max(1, lengths.max() ?? 1)
        var indices: [Int32] = [], mask: [Bool] = [], first = 0
        for length in lengths {
            for position in 0..<longest {
                indices.append(Int32(min(first + (position < length ? position : 0), max(emissions.shape[0] - 1, 0))))
                mask.append(position < length)
            }
            first += length
        }
        return (Embedding(indices, shape: [lengths.count, longest])(emissions), mask)
    }

    /// The emissions as a graph: `[words, width]` to `[words, labels]`. The chain is not part of it.
    func onnx() throws -> Data {
        guard let hidden else {
            return try GraphModel(GraphWriter.linear(weight: emission.weight.value, bias: emission.bias.value)).serialized()
        }
        return try GraphModel(
            GraphWriter.mlp(
                hidden: (hidden.weight.value, hidden.bias.value), output: (emission.weight.value, emission.bias.value),
                dropout: dropout)
        ).serialized()
    }
}
