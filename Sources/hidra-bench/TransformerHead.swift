import Checkpoints
import Layers
import TensorCore
import Training

/// Two post-norm transformer layers over a sequence of features, mean pooling and a linear layer: features `[rows, tokens · width]` →
/// `[rows, classes]`. The same network as in `Tests/Benchmarks/peers_heads.py`.
struct TransformerHead: Network {
    private struct Layer {
        let query: Linear, key: Linear, value: Linear, output: Linear, first: Linear, second: Linear
        let attentionNorm: LayerNorm, outputNorm: LayerNorm
    }

    private let layers: [Layer]
    private let output: Linear
    let parameters: [Parameter]
    let tokens: Int, width: Int, heads: Int, feedForward: Int

    init(tokens: Int, width: Int, heads: Int, feedForward: Int, layers: Int, classes: Int, in scope: ParameterScope) {
        (self.tokens, self.width, self.heads, self.feedForward) = (tokens, width, heads, feedForward)
        self.layers = (0..<layers).map { index in
            let scope = scope.scope("layer", index)
            return Layer(
                query: Linear(width, width, in: scope.scope("query")),
                key: Linear(width, width, in: scope.scope("key")),
                value: Linear(width, width, in: scope.scope("value")),
                output: Linear(width, width, in: scope.scope("output")),
                first: Linear(width, feedForward, in: scope.scope("first")),
                second: Linear(feedForward, width, in: scope.scope("second")),
                attentionNorm: LayerNorm(width, eps: 1e-5, in: scope.scope("attention_norm")),
                outputNorm: LayerNorm(width, eps: 1e-5, in: scope.scope("output_norm")))
        }
        output = Linear(width, classes, in: scope.scope("output"))
        parameters = scope.parameters
    }

    func callAsFunction(_ x: Tensor, dropoutSeed: UInt64?) -> Tensor {
        let sequences = x.shape[0]
        let offsets = SequenceOffsets(lengths: [Int](repeating: tokens, count: sequences))
        let attention = PackedAttention(offsets, heads: heads, width: width)
        var hidden = Reshape([sequences * tokens, width])(x)
        for layer in layers {
            let mixed = attention(layer.query(hidden), layer.key(hidden), layer.value(hidden))
            hidden = layer.attentionNorm(layer.output(mixed), residual: hidden)
            hidden = layer.outputNorm(layer.second(layer.first.gelu(hidden)), residual: hidden)
        }
        return output(MeanPooling(offsets)(hidden))
    }

    /// Multiply-adds of one training step, twice: forward, and backward to weights and inputs.
    func operations(sequences: Int, classes: Int) -> Double {
        let rows = Double(sequences * tokens), wide = Double(width)
        let weights = 4 * wide * wide + 2 * wide * Double(feedForward)
        // q kᵀ and p v forward; dp, dv, dq and dk backward.
        let attention = 6 * Double(tokens) * wide
        // The first layer's input is data: nothing flows into it.
        let first = 3 * wide * wide
        let all = Double(layers.count) * (3 * weights + attention) - first
        return 2 * (rows * all + 3 * Double(sequences) * wide * Double(classes))
    }
}
