import Glibc
package import TensorCore

/// How a restricted Boltzmann machine is trained.
package struct BoltzmannSettings: Sendable, Codable, Equatable {
    /// Gibbs steps between the data and the model's samples (CD-k, Hinton 2002).
    package var steps = 1
    /// Whether the chains go on from step to step (persistent CD, Tieleman 2008), or begin at the data.
    package var persistent = true

    package init(steps: Int = 1, persistent: Bool = true) { (self.steps, self.persistent) = (steps, persistent) }

    func validate() throws {
        guard (1...1000).contains(steps) else {
            throw LatentError(.invalidArgument, "A machine is trained with 1 to 1000 Gibbs steps; they were \(steps).")
        }
    }
}

/// A restricted Boltzmann machine with binary units: energy `E(v, h) = −bᵀh − cᵀv − hᵀ W v`. Visible units may be given as
/// probabilities from 0 to 1. Matrices alone; there is no tape.
package struct BoltzmannMachine {
    /// `[hidden, visible]`
    package let weight: Tensor
    /// b `[hidden]`
    package let hiddenBias: Tensor
    /// c `[visible]`
    package let visibleBias: Tensor

    package var hidden: Int { weight.shape[0] }
    package var visible: Int { weight.shape[1] }

    package init(weight: Tensor, hiddenBias: Tensor, visibleBias: Tensor) {
        (self.weight, self.hiddenBias, self.visibleBias) = (weight, hiddenBias, visibleBias)
    }

    /// Weights normal with deviation 0.01, biases 0.
    package init(visible: Int, hidden: Int, seed: UInt64, stream: String) {
        weight = CounterNoise(seed: seed, stream: stream).normals([hidden, visible])
        for i in 0..<weight.count { weight.mutablePointer[i] *= 0.01 }
        hiddenBias = Tensor(repeating: 0, [hidden])
        visibleBias = Tensor(repeating: 0, [visible])
    }

    /// `σ(W v + b)`: v `[batch, visible]` → `[batch, hidden]`.
    package func hiddenProbabilities(_ visible: Tensor) -> Tensor { Sigmoid()(LinearProduct()(visible, weight, hiddenBias)) }

    /// `σ(Wᵀ h + c)`: h `[batch, hidden]` → `[batch, visible]`.
    package func visibleProbabilities(_ hidden: Tensor) -> Tensor { Sigmoid()(Add()(MatrixProduct()(hidden, weight), visibleBias)) }

    /// `F(v) = −cᵀv − Σ log(1 + exp(W v + b))` of each row.
    package func freeEnergy(_ visible: Tensor) -> [Double] {
        let x = LinearProduct()(visible, weight, hiddenBias), v = visible.contiguous()
        return (0..<visible.shape[0]).map { row in
            var energy = 0.0
            for i in 0..<self.visible { energy -= Double(visibleBias.pointer[i] * v.pointer[row * self.visible + i]) }
            for j in 0..<hidden {
                let a = x.pointer[row * hidden + j]
                energy -= Double(max(a, 0) + log1pf(expf(-abs(a))))
            }
            return energy
        }
    }

    /// A proxy of the log-likelihood, as scikit-learn measures it: `visible · log σ(F(v with one unit flipped) − F(v))`, the unit chosen
    /// at random for each row.
    package func pseudoLikelihood(_ visible: Tensor, seed: UInt64) -> Double {
        var random = Random(seed: seed, stream: "pseudo-likelihood")
        let flipped = Tensor(visible.values, visible.shape), width = self.visible
        for row in 0..<visible.shape[0] {
            let i = row * width + random.index(below: width)
            flipped.mutablePointer[i] = 1 - flipped.pointer[i]
        }
        let differences = zip(freeEnergy(flipped), freeEnergy(visible)).map { $0 - $1 }
        return differences.reduce(0) { $0 - Double(width) * log1p(exp(-$1)) } / Double(max(differences.count, 1))
    }

    /// Mean squared difference between pixels and what comes back from their hidden probabilities.
    package func reconstructionError(_ visible: Tensor) -> Double {
        ImageFigures(visible, visibleProbabilities(hiddenProbabilities(visible))).meanError
    }
}

/// The chains a machine is trained with.
package struct BoltzmannTraining {
    package let machine: BoltzmannMachine
    private let settings: BoltzmannSettings
    /// States of the persistent chains' hidden units `[batch, hidden]`; zeros at first, as scikit-learn's.
    private var chains: Tensor?

    package init(_ machine: BoltzmannMachine, _ settings: BoltzmannSettings) {
        (self.machine, self.settings) = (machine, settings)
    }

    /// `W += rate / batch · (⟨h⁺ᵀ v⁺⟩ − ⟨h⁻ᵀ v⁻⟩)`, and the biases likewise.
    ///
    /// - Parameter visible: `[batch, visible]`.
    package mutating func step(_ visible: Tensor, rate: Double, seed: UInt64, step: Int) {
        let batch = visible.shape[0], positive = machine.hiddenProbabilities(visible)
        var states: Tensor
        if settings.persistent {
            states = chains ?? Tensor(repeating: 0, positive.shape)
            if states.shape[0] < batch { states = Tensor(repeating: 0, positive.shape) }
            if states.shape[0] > batch { states = states.rows(0..<batch) }
        } else {
            states = CounterNoise(seed: seed, stream: "first hidden", step: step).bernoulli(positive)
        }
        var sample = visible, negative = positive
        for round in 0..<settings.steps {
            let moment = step * settings.steps + round
            sample = CounterNoise(seed: seed, stream: "visible", step: moment).bernoulli(machine.visibleProbabilities(states))
            negative = machine.hiddenProbabilities(sample)
            states = CounterNoise(seed: seed, stream: "hidden", step: moment).bernoulli(negative)
        }
        // A last batch that is smaller leaves the other chains where they are.
        if settings.persistent, chains.map({ $0.shape[0] <= batch }) ?? true { chains = states }
        update(visible, positive, sample, negative, Float(rate / Double(batch)))
    }

    /// Both products at once: `[h⁺; −h⁻]ᵀ [v⁺; v⁻]`.
    private func update(_ v: Tensor, _ h: Tensor, _ sample: Tensor, _ negative: Tensor, _ rate: Float) {
        let batch = v.shape[0], hidden = machine.hidden, visible = machine.visible
        let units = Tensor(uninitialised: [2 * batch, hidden]), pixels = Tensor(uninitialised: [2 * batch, visible])
        let positive = h.contiguous(), from = negative.contiguous(), data = v.contiguous()
        for i in 0..<batch * hidden {
            units.mutablePointer[i] = rate * positive.pointer[i]
            units.mutablePointer[batch * hidden + i] = -rate * from.pointer[i]
        }
        pixels.mutablePointer.update(from: data.pointer, count: batch * visible)
        (pixels.mutablePointer + batch * visible).update(from: sample.pointer, count: batch * visible)
        let slope = MatrixProduct(transposeA: true)(units, pixels)
        let weight = machine.weight.mutablePointer, change = slope.pointer
        WorkerPool.shared.forRanges(slope.count, grain: 1 << 15) { range in for i in range { weight[i] += change[i] } }
        let b = machine.hiddenBias.mutablePointer, c = machine.visibleBias.mutablePointer
        for row in 0..<2 * batch {
            for j in 0..<hidden { b[j] += units.pointer[row * hidden + j] }
        }
        for row in 0..<batch {
            let real = data.pointer + row * visible, dream = sample.pointer + row * visible
            for i in 0..<visible { c[i] += rate * (real[i] - dream[i]) }
        }
    }
}
