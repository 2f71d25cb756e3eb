import Glibc
import TensorCore
import Testing

@testable import Latent

@Suite("Restricted Boltzmann machines")
struct BoltzmannTests {
    private static func machine() -> BoltzmannMachine {
        BoltzmannMachine(
            weight: Tensor([0.5, -1, 0.25, 1, 0.75, -0.5], [2, 3]), hiddenBias: Tensor([0.1, -0.2], [2]),
            visibleBias: Tensor([0.3, 0, -0.4], [3]))
    }

    /// Sums the joint distribution over all states: the definition itself.
    @Test("The free energy is minus the logarithm of the sum over all hidden states")
    func freeEnergy() {
        let machine = Self.machine(), v: [Float] = [1, 0, 1], w = machine.weight.values
        var sum = 0.0
        for state in 0..<4 {
            let h = [Float(state & 1), Float(state >> 1)]
            var energy: Float = -(0.3 * v[0] + 0 * v[1] - 0.4 * v[2]) - (0.1 * h[0] - 0.2 * h[1])
            for j in 0..<2 { for i in 0..<3 { energy -= h[j] * w[j * 3 + i] * v[i] } }
            sum += Double(exp(-energy))
        }
        let energy = machine.freeEnergy(Tensor(v, [1, 3]))[0]
        #expect(abs(energy + log(sum)) < 1e-5, "\(energy), expected \(-log(sum))")
    }

    /// Two kinds of rows, which a machine with two hidden units can hold.
    private static func patterns(_ rows: Int) -> Tensor {
        Tensor((0..<rows).flatMap { row in (0..<12).map { ($0 < 6) == (row % 2 == 0) ? Float(1) : 0 } }, [rows, 12])
    }

    @Test("Contrastive divergence, persistent or not, learns two patterns", arguments: [true, false])
    func learning(_ persistent: Bool) {
        let data = Self.patterns(20)
        let machine = BoltzmannMachine(visible: 12, hidden: 4, seed: 3, stream: "test")
        let before = machine.pseudoLikelihood(data, seed: 0)
        var training = BoltzmannTraining(machine, BoltzmannSettings(steps: 2, persistent: persistent))
        for step in 0..<600 { training.step(data, rate: 0.2, seed: 1, step: step) }
        let after = machine.pseudoLikelihood(data, seed: 0), error = machine.reconstructionError(data)
        #expect(after > -1.5 && after > before + 4, "pseudo-likelihood \(before), then \(after)")
        #expect(error < 0.02, "reconstruction error \(error)")
    }

    @Test("Random bits have the probabilities asked for, and depend on seed and step alone")
    func bernoulli() {
        let p = Tensor(repeating: 0.3, [100_000])
        let bits = CounterNoise(seed: 1, stream: "bits", step: 2).bernoulli(p).values
        let share = Double(bits.reduce(0, +)) / 100_000
        #expect(abs(share - 0.3) < 0.006, "\(share)")
        #expect(CounterNoise(seed: 1, stream: "bits", step: 2).bernoulli(p).values == bits)
        #expect(CounterNoise(seed: 1, stream: "bits", step: 3).bernoulli(p).values != bits)
        let normal = CounterNoise(seed: 1, stream: "normal").normals([50_000]).values.map { Double($0) }
        let mean = normal.reduce(0, +) / 50_000, square = normal.reduce(0) { $0 + $1 * $1 } / 50_000
        #expect(abs(mean) < 0.02 && abs(square - 1) < 0.03, "mean \(mean), square \(square)")
    }
}
