import Checkpoints
import Layers
import TensorCore

/// Hidden states between two layers, in both forms: `[tokens, width]`.
struct Int8HiddenStates {
    /// What residuals are made of, and what a tap reads.
    let values: Tensor
    /// What products take.
    let quantised: QuantisedRows
}

extension Int8HiddenStates {
    init(_ values: Tensor) { self.init(values: values, quantised: QuantisedRows(values)) }
}

/// `BertLayer` with its four products in eight bits; attention, layer norms and GELU are in fp32.
struct Int8BertLayer {
    /// Queries, keys and values, side by side.
    private let inputs: Int8Matrix
    private let attentionOutput: Int8Matrix, intermediate: Int8Matrix, output: Int8Matrix
    private let attentionNorm: LayerNorm, outputNorm: LayerNorm
    private let width: Int, heads: Int
    private let activation: Int8Matrix.Activation

    init(_ loaded: LoadedBertLayer, _ configuration: BertConfiguration) {
        func packed(_ layers: Linear...) -> Int8Matrix {
            Int8Matrix(transposing: layers.map(\.weight.value), biases: layers.map(\.bias.value))
        }
        inputs = packed(loaded.query, loaded.key, loaded.value)
        attentionOutput = packed(loaded.attentionOutput)
        intermediate = packed(loaded.intermediate)
        output = packed(loaded.output)
        attentionNorm = loaded.attentionNorm
        outputNorm = loaded.outputNorm
        width = configuration.hiddenSize
        heads = configuration.heads
        switch configuration.activation {
        case .gelu: activation = .gelu
        case .relu: activation = .relu
        }
    }

    var byteCount: Int { [inputs, attentionOutput, intermediate, output].reduce(0) { $0 + $1.byteCount } }

    func callAsFunction(_ x: Int8HiddenStates, _ offsets: SequenceOffsets) -> Int8HiddenStates {
        let projected = inputs.multiply(x.quantised)
        let context = JoinedAttention(offsets, heads: heads)(projected)
        let attended = normalised(attentionOutput.multiply(QuantisedRows(context)), x.values, attentionNorm)
        let inner = QuantisedRows(intermediate.multiply(attended.quantised, activation: activation))
        return normalised(output.multiply(inner), attended.values, outputNorm)
    }

    private func normalised(_ x: Tensor, _ residual: Tensor, _ norm: LayerNorm) -> Int8HiddenStates {
        let (values, quantised) = QuantisedRows.layerNorm(
            x, residual: residual, weight: norm.weight.value, bias: norm.bias.value, eps: norm.eps)
        return Int8HiddenStates(values: values, quantised: quantised)
    }
}
