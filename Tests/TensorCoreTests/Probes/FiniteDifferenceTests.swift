import Testing

@testable import TensorCore

/// An op with inputs to check its gradient at. Points lie away from kinks.
struct Probe {
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

func numbers(_ shape: Shape, _ seed: UInt64, scale: Float = 1, shift: Float = 0) -> Tensor {
    var random = Random(seed: seed)
    return Tensor((0..<shape.count).map { _ in (random.uniform() * 2 - 1) * scale + shift }, shape)
}

/// The same values laid out column by column: a view that is not contiguous.
private func strided(_ x: Tensor) -> Tensor {
    guard x.rank >= 2 else { return x }
    let order = Array((0..<x.rank).reversed())
    return x.permutedView(order).contiguous().permutedView(order)
}

/// Probes of each op, by its name; one file a family.
enum Probes {
    static let all: [String: @Sendable () -> [Probe]] = [
        elementwise, products, shapes, reductions, normalisation, attention, convolution, losses,
    ].reduce(into: [:]) { all, family in
        all.merge(family) { _, _ in fatalError("two lists of probes for one op") }
    }

    static func of(_ name: String) -> [Probe] {
        guard let make = all[name] else { return [] }
        return make()
    }
}

@Suite("Gradients against finite differences")
struct FiniteDifferenceTests {
    @Test("every op has a probe", arguments: OpRegistry.differentiable.map { $0.name })
    func everyOpHasAProbe(_ name: String) {
        #expect(!Probes.of(name).isEmpty, "\(name) has no finite-difference check: add one to Probes")
    }

    /// Four-point central differences of `Σ w · output` in steps of 2⁻⁵, summed in double.
    @Test("the gradient of every op equals the slope", arguments: OpRegistry.differentiable.map { $0.name })
    func gradientIsTheSlope(_ name: String) {
        for (number, probe) in Probes.of(name).enumerated() {
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
