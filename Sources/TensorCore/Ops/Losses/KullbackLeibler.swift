import CKernels
import Glibc

/// Pointwise Kullback–Leibler divergence `t · (log t − x)` of log-probabilities x from a target t of the same shape, given as
/// probabilities or as log-probabilities; `0 · log 0` counts as 0. Inputs: x, target; both have gradients.
package struct KullbackLeibler: DifferentiableOp {
    package static let name = "kl_div"
    package let targetIsLogarithm: Bool
    package let reduction: Reduction

    package init(targetIsLogarithm: Bool = false, reduction: Reduction = .batchMean) {
        self.targetIsLogarithm = targetIsLogarithm
        self.reduction = reduction
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        precondition(inputs[0].shape == inputs[1].shape, "kl_div: x \(inputs[0].shape), target \(inputs[1].shape)")
        let losses =
            targetIsLogarithm
            ? broadcast(Self.name, inputs[0], inputs[1]) { expf($1) * ($1 - $0) }
            : broadcast(Self.name, inputs[0], inputs[1]) { $1 == 0 ? 0 : $1 * (logf($1) - $0) }
        return (reduction(losses), [])
    }

    /// `dx = −t`, `dt = log t + 1 − x`; for a logarithm l: `dx = −eˡ`, `dl = eˡ (l + 1 − x)`.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = inputs[0].contiguous(), t = inputs[1].contiguous(), shape = x.shape
        let dx =
            needs[0]
            ? reduction.gradient(gradient, of: shape) { targetIsLogarithm ? -expf(t.pointer[$0]) : -t.pointer[$0] }
            : nil
        let dt =
            needs[1]
            ? reduction.gradient(gradient, of: shape) { i in
                let value = t.pointer[i], rest = 1 - x.pointer[i]
                return targetIsLogarithm ? expf(value) * (value + rest) : logf(value) + rest
            } : nil
        return [dx, dt]
    }
}

/// Knowledge distillation (Hinton et al. 2015): `T² · KL(softmax(teacher / T) ‖ softmax(student / T))`, the mean over the rows.
/// Inputs: student and teacher logits `[rows, classes]`; both have gradients.
package struct Distillation: DifferentiableOp {
    package static let name = "distillation"
    package let temperature: Float

    package init(temperature: Float) {
        precondition(temperature > 0, "distillation: temperature \(temperature) is not positive")
        self.temperature = temperature
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        precondition(
            inputs[0].shape == inputs[1].shape && inputs[0].rank == 2,
            "distillation: student \(inputs[0].shape), teacher \(inputs[1].shape)")
        let (q, logQ) = softmax(inputs[0]), (p, logP) = softmax(inputs[1])
        let ratio = broadcast(Self.name, logP, logQ, -)
        var total = 0.0
        for i in 0..<ratio.count where p.pointer[i] != 0 { total += Double(p.pointer[i]) * Double(ratio.pointer[i]) }
        let scale = Double(temperature) * Double(temperature) / Double(inputs[0].shape[0])
        return (Tensor(scalar: Float(total * scale)), [q, p, ratio])
    }

    /// `dstudent = T (q − p)`, `dteacher = T p (r − Σ p r)` with `r = log p − log q`, over the number of rows.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let (q, p, ratio) = (saved[0], saved[1], saved[2]), classes = q.shape.last
        let scale = gradient.scalar * temperature / Float(q.shape[0])
        let student = needs[0] ? broadcast(Self.name, q, p) { ($0 - $1) * scale } : nil
        guard needs[1] else { return [student, nil] }
        let teacher = Tensor(uninitialised: p.shape)
        for row in 0..<p.shape[0] {
            let start = row * classes, mean = ck_dot_f32(classes, p.pointer + start, ratio.pointer + start)
            for i in start..<start + classes {
                teacher.mutablePointer[i] = scale * p.pointer[i] * (ratio.pointer[i] - mean)
            }
        }
        return [student, teacher]
    }

    /// Softmax of `x / T` and its logarithm.
    private func softmax(_ x: Tensor) -> (Tensor, Tensor) {
        let scaled = x.map { $0 / temperature }, classes = x.shape.last
        let y = Tensor(uninitialised: x.shape), logarithm = Tensor(uninitialised: x.shape)
        ck_softmax_f32(x.shape[0], classes, 1, scaled.pointer, classes, y.mutablePointer, classes)
        for row in 0..<x.shape[0] {
            let start = row * classes
            let logSum = (scaled.pointer + start).logSumOfExponentials(classes, softmax: y.pointer + start)
            for i in start..<start + classes { logarithm.mutablePointer[i] = scaled.pointer[i] - logSum }
        }
        return (y, logarithm)
    }
}
