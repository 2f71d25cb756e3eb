import Glibc

/// Connectionist temporal classification (Graves et al. 2006) of logits `[length, batch, classes]`, log-softmax included: minus
/// the log-probability of all alignments of each label sequence.
///
/// `mean` divides each loss by its target's length (at least 1) and averages over the batch. A sequence that cannot be aligned
/// has an infinite loss and a NaN gradient, or neither with `zeroInfinity`. Steps past a sequence's length have no gradient.
package struct CTCLoss: DifferentiableOp {
    package static let name = "ctc"
    /// Labels of each sequence, blanks left out.
    package let targets: [[Int32]]
    package let inputLengths: [Int]
    package let blank: Int
    package let zeroInfinity: Bool
    package let reduction: Reduction

    package init(
        targets: [[Int32]], inputLengths: [Int], blank: Int = 0, zeroInfinity: Bool = false,
        reduction: Reduction = .mean
    ) {
        precondition(
            targets.count == inputLengths.count, "ctc: \(targets.count) targets, \(inputLengths.count) lengths")
        precondition(reduction != .batchMean, "ctc: there is no batch mean; use mean or sum")
        self.targets = targets
        self.inputLengths = inputLengths
        self.blank = blank
        self.zeroInfinity = zeroInfinity
        self.reduction = reduction
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let logits = checked(inputs[0])
        let losses = Tensor(uninitialised: [targets.count])
        let out = losses.mutablePointer
        WorkerPool.shared.parallel(targets.count) { sequence in
            let loss = Float(lattice(logits, sequence).loss)
            out[sequence] = zeroInfinity && loss == .infinity ? 0 : loss
        }
        guard reduction == .mean else { return (reduction(losses), []) }
        let total = targets.indices.reduce(0.0) { $0 + Double(losses.pointer[$1]) / share($1) }
        return (Tensor(scalar: Float(total / Double(targets.count))), [])
    }

    /// `dx = softmax(x) − posterior of the labels` at each step. The lattice is computed again: keeping it would cost memory.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let logits = checked(inputs[0]), dx = Tensor(repeating: 0, logits.shape), out = dx.mutablePointer
        let batch = logits.shape[1], classes = logits.shape[2]
        WorkerPool.shared.parallel(targets.count) { sequence in
            let divisor = reduction == .mean ? Double(targets.count) * share(sequence) : 1
            let factor = Double(reduction.factor(gradient, sequence, divisor: divisor))
            let lattice = lattice(logits, sequence)
            if zeroInfinity && lattice.loss == .infinity { return }
            let posteriors = lattice.posteriors()
            for step in 0..<inputLengths[sequence] {
                let row = out + (step * batch + sequence) * classes
                for label in 0..<classes {
                    let index = step * classes + label
                    row[label] = Float(factor * (exp(lattice.logProbabilities[index]) - posteriors[index]))
                }
            }
        }
        return [dx]
    }

    private func share(_ sequence: Int) -> Double { Double(max(targets[sequence].count, 1)) }

    private func checked(_ logits: Tensor) -> Tensor {
        precondition(
            logits.rank == 3 && logits.shape[1] == targets.count && (0..<logits.shape[2]).contains(blank),
            "ctc: logits \(logits.shape), \(targets.count) sequences, blank \(blank)")
        for (length, target) in zip(inputLengths, targets) {
            precondition(
                (0...logits.shape[0]).contains(length)
                    && target.allSatisfy { (0..<logits.shape[2]).contains(Int($0)) && Int($0) != blank },
                "ctc: length \(length) or labels \(target) do not fit logits \(logits.shape) with blank \(blank)")
        }
        return logits.contiguous()
    }

    private func lattice(_ logits: Tensor, _ sequence: Int) -> CTCLattice {
        let batch = logits.shape[1], classes = logits.shape[2], length = inputLengths[sequence]
        var logProbabilities = [Double](repeating: 0, count: length * classes)
        for step in 0..<length {
            let row = logits.pointer + (step * batch + sequence) * classes
            var largest = -Double.infinity, sum = 0.0
            for i in 0..<classes where Double(row[i]) > largest { largest = Double(row[i]) }
            for i in 0..<classes { sum += exp(Double(row[i]) - largest) }
            let logSum = largest + log(sum)
            for i in 0..<classes { logProbabilities[step * classes + i] = Double(row[i]) - logSum }
        }
        return CTCLattice(
            logProbabilities: logProbabilities, classes: classes, target: targets[sequence].map(Int.init), blank: blank)
    }
}

/// The lattice of one sequence: states are the labels with blanks before, between and after them, times are the steps.
/// Everything is a logarithm in double precision: long sequences multiply thousands of small numbers.
private struct CTCLattice {
    /// `[steps, classes]`
    let logProbabilities: [Double]
    private let classes: Int
    private let labels: [Int]
    private let steps: Int
    /// `[steps, states]`: log-probability of the first steps' alignments that end in a state.
    private let forward: [Double]
    let loss: Double

    init(logProbabilities: [Double], classes: Int, target: [Int], blank: Int) {
        self.logProbabilities = logProbabilities
        self.classes = classes
        var labels = [blank]
        for label in target { labels += [label, blank] }
        self.labels = labels
        steps = logProbabilities.count / classes
        let states = labels.count
        guard steps > 0 else {
            forward = []
            loss = target.isEmpty ? 0 : .infinity
            return
        }
        var alpha = [Double](repeating: -.infinity, count: steps * states)
        for state in 0..<min(2, states) { alpha[state] = logProbabilities[labels[state]] }
        for step in 1..<max(steps, 1) {
            let before = (step - 1) * states
            for state in 0..<states {
                let skips = state >= 2 && labels[state] != blank && labels[state] != labels[state - 2]
                alpha[step * states + state] =
                    logSum(
                        alpha[before + state], state >= 1 ? alpha[before + state - 1] : -.infinity,
                        skips ? alpha[before + state - 2] : -.infinity)
                    + logProbabilities[step * classes + labels[state]]
            }
        }
        let last = steps * states - 1
        loss = -logSum(alpha[last], states > 1 ? alpha[last - 1] : -.infinity, -.infinity)
        forward = alpha
    }

    /// `[steps, classes]`: the probability that a step emits a label, given the target.
    func posteriors() -> [Double] {
        let states = labels.count, blank = labels[0]
        var result = [Double](repeating: 0, count: steps * classes)
        // Log-probability of the later steps' alignments, from a state on, the state's own emission left out.
        var beta = [Double](repeating: -.infinity, count: states)
        for step in stride(from: steps - 1, through: 0, by: -1) {
            if step == steps - 1 {
                beta[states - 1] = 0
                if states > 1 { beta[states - 2] = 0 }
            } else {
                let ahead = (0..<states).map { beta[$0] + logProbabilities[(step + 1) * classes + labels[$0]] }
                for state in 0..<states {
                    let skips = state + 2 < states && labels[state] != blank && labels[state] != labels[state + 2]
                    beta[state] = logSum(
                        ahead[state], state + 1 < states ? ahead[state + 1] : -.infinity,
                        skips ? ahead[state + 2] : -.infinity)
                }
            }
            for state in 0..<states {
                result[step * classes + labels[state]] += exp(forward[step * states + state] + beta[state] + loss)
            }
        }
        return result
    }
}

/// `log (eᵃ + eᵇ + eᶜ)`; a NaN stays one.
private func logSum(_ a: Double, _ b: Double, _ c: Double) -> Double {
    let largest = max(a, b, c)
    guard largest > -.infinity else { return a + b + c }
    return largest + log(exp(a - largest) + exp(b - largest) + exp(c - largest))
}
