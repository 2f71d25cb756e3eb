import Testing

@testable import TensorCore

/// An op with inputs to check its gradient at. Points lie away from kinks.
private struct Probe {
    let op: any DifferentiableOp
    let inputs: [Tensor]
    /// Inputs that have a gradient.
    let differentiable: [Int]

    init(_ op: any DifferentiableOp, _ inputs: [Tensor], differentiable: [Int]? = nil) {
        self.op = op
        self.inputs = inputs
        self.differentiable = differentiable ?? Array(inputs.indices)
    }
}

private func numbers(_ shape: Shape, _ seed: UInt64, scale: Float = 1, shift: Float = 0) -> Tensor {
    var random = Random(seed: seed)
    return Tensor((0..<shape.count).map { _ in (random.uniform() * 2 - 1) * scale + shift }, shape)
}

/// The same values laid out column by column: a view that is not contiguous.
private func strided(_ x: Tensor) -> Tensor {
    guard x.rank >= 2 else { return x }
    let order = Array((0..<x.rank).reversed())
    return x.permutedView(order).contiguous().permutedView(order)
}

/// One or more probes for each op, by name.
private func probes(for name: String) -> [Probe] {
    let offsets = SequenceOffsets(lengths: [3, 1, 4])
    switch name {
    case Add.name: return [Probe(Add(), [numbers([3, 4], 1), numbers([4], 2)]), Probe(Add(), [numbers([2, 1, 3], 1), numbers([4, 1], 2)])]
    case Subtract.name: return [Probe(Subtract(), [numbers([3, 4], 1), numbers([3, 1], 2)])]
    case Multiply.name: return [Probe(Multiply(), [numbers([3, 4], 1), numbers([4], 2)])]
    case Divide.name: return [Probe(Divide(), [numbers([3, 4], 1), numbers([1, 4], 2, scale: 0.5, shift: 2)])]
    case LinearProduct.name:
        return [
            Probe(LinearProduct(), [numbers([2, 3, 4], 1), numbers([5, 4], 2), numbers([5], 3)]),
            Probe(LinearProduct(), [numbers([3, 4], 1), numbers([5, 4], 2)]),
        ]
    case MatrixProduct.name:
        return [
            Probe(MatrixProduct(), [numbers([3, 4], 1), numbers([4, 2], 2)]),
            Probe(MatrixProduct(transposeA: true), [numbers([2, 4, 3], 1), numbers([2, 4, 2], 2)]),
            Probe(MatrixProduct(transposeB: true), [numbers([3, 4], 1), numbers([2, 4], 2)]),
            Probe(MatrixProduct(transposeA: true, transposeB: true), [numbers([4, 3], 1), numbers([2, 4], 2)]),
        ]
    case PackedLinear.name:
        let weights = [numbers([5, 4], 2), numbers([3, 4], 3)], biases = [numbers([5], 4), numbers([3], 5)]
        return [
            Probe(PackedLinear(FrozenLinear(weights, biases: biases)), [numbers([6, 4], 1)]),
            Probe(PackedLinear(FrozenLinear(weights, biases: biases), activation: .gelu), [numbers([6, 4], 1)]),
        ]
    case GELU.name: return [Probe(GELU(), [numbers([5, 7], 1, scale: 3)])]
    case ReLU.name: return [Probe(ReLU(), [numbers([5, 7], 1).map { abs($0) < 0.05 ? 0.2 : $0 }])]
    case Tanh.name: return [Probe(Tanh(), [numbers([5, 7], 1, scale: 2)])]
    case Sigmoid.name: return [Probe(Sigmoid(), [numbers([5, 7], 1, scale: 4)])]
    case Softmax.name: return [Probe(Softmax(), [numbers([3, 19], 1, scale: 2)])]
    case Dropout.name: return [Probe(Dropout(rate: 0.4, seed: 7), [numbers([5, 7], 1)])]
    case LayerNormalisation.name:
        return [Probe(LayerNormalisation(eps: 1e-5), [numbers([3, 18], 1), numbers([18], 2), numbers([18], 3)])]
    case ResidualLayerNormalisation.name:
        return [
            Probe(
                ResidualLayerNormalisation(eps: 1e-5), [numbers([3, 18], 1), numbers([3, 18], 4), numbers([18], 2), numbers([18], 3)])
        ]
    case L2Normalisation.name: return [Probe(L2Normalisation(), [numbers([3, 18], 1)])]
    case Reshape.name: return [Probe(Reshape([6, 2]), [numbers([3, 4], 1)])]
    case Permute.name: return [Probe(Permute([2, 0, 1]), [numbers([2, 3, 4], 1)])]
    case Embedding.name: return [Probe(Embedding([2, 0, 2, 4]), [numbers([5, 3], 1)])]
    case Sum.name: return [Probe(Sum(), [numbers([3, 4], 1)])]
    case Mean.name: return [Probe(Mean(), [numbers([3, 4], 1)])]
    case MeanPooling.name: return [Probe(MeanPooling(offsets), [numbers([8, 5], 1)])]
    case PackedAttention.name:
        return [
            Probe(PackedAttention(offsets, heads: 2, width: 6), [numbers([8, 6], 1), numbers([8, 6], 2), numbers([8, 6], 3)])
        ]
    case CrossEntropy.name:
        return [
            Probe(CrossEntropy(targets: [0, 4, 2]), [numbers([3, 5], 1, scale: 2)]),
            Probe(
                CrossEntropy(targets: [0, 4, 2], classWeights: [1, 0.5, 2, 1, 3], smoothing: 0.2), [numbers([3, 5], 1, scale: 2)]),
        ]
    case BinaryCrossEntropy.name:
        return [
            Probe(
                BinaryCrossEntropy(targets: [1, 0, 0.3, 1, 1, 0], positiveWeights: [2, 1, 0.5]), [numbers([2, 3], 1, scale: 2)])
        ]
    case MeanSquaredError.name: return [Probe(MeanSquaredError(), [numbers([3, 4], 1), numbers([3, 4], 2)])]
    default: return []
    }
}

@Suite("Gradients against finite differences")
struct FiniteDifferenceTests {
    @Test("every op has a probe", arguments: OpRegistry.differentiable.map { $0.name })
    func everyOpHasAProbe(_ name: String) {
        #expect(!probes(for: name).isEmpty, "\(name) has no finite-difference check: add one to probes(for:)")
    }

    /// Four-point central differences of `Σ w · output` in steps of 2⁻⁵, summed in double.
    @Test("the gradient of every op equals the slope", arguments: OpRegistry.differentiable.map { $0.name })
    func gradientIsTheSlope(_ name: String) {
        for (number, probe) in probes(for: name).enumerated() {
            for layout in [{ $0 }, strided] as [(Tensor) -> Tensor] {
                let leaves = probe.inputs.map { layout($0).tracked }
                let output = probe.op.apply(leaves)
                let weights = numbers(output.shape, 99)
                let gradients = output.gradients(for: leaves, from: weights)
                for index in probe.differentiable {
                    let expected = slope(probe, index, weights)
                    let actual = gradients[index].values
                    let scale = max(1, expected.map(abs).max() ?? 1)
                    for (element, (a, e)) in zip(actual, expected).enumerated() {
                        #expect(
                            abs(a - e) <= 3e-3 * scale,
                            "\(name) probe \(number), input \(index), element \(element): gradient \(a), slope \(e)")
                    }
                }
            }
        }
    }

    private func slope(_ probe: Probe, _ index: Int, _ weights: Tensor) -> [Float] {
        let step: Float = 0x1p-5
        let base = probe.inputs[index].values
        func value(_ element: Int, _ shift: Float) -> Double {
            var inputs = probe.inputs, moved = base
            moved[element] += shift
            inputs[index] = Tensor(moved, probe.inputs[index].shape)
            return zip(probe.op.apply(inputs).values, weights.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        return base.indices.map { element in
            let near = value(element, step) - value(element, -step)
            let far = value(element, 2 * step) - value(element, -2 * step)
            return Float((8 * near - far) / (12 * Double(step)))
        }
    }
}
