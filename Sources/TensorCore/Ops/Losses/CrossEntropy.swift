import CKernels
import Glibc

/// Softmax cross-entropy of logits `[rows, classes]` → scalar, the mean over the rows.
///
/// With smoothing s each row's loss is `(1 − s) · nll + s / classes · Σ nll of every class`; class weights multiply each class's
/// term, and the mean divides by the sum of the targets' weights (PyTorch's definition).
package struct CrossEntropy: DifferentiableOp {
    package static let name = "cross_entropy"
    package let targets: [Int32]
    package let classWeights: [Float]?
    package let smoothing: Float

    package init(targets: [Int32], classWeights: [Float]? = nil, smoothing: Float = 0) {
        self.targets = targets
        self.classWeights = classWeights
        self.smoothing = smoothing
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let logits = inputs[0].contiguous(), classes = logits.shape.last
        precondition(
            logits.rank == 2 && logits.shape[0] == targets.count && classWeights.map { $0.count == classes } ?? true,
            "cross_entropy: logits \(logits.shape), \(targets.count) targets, \(classWeights?.count ?? classes) weights"
        )
        let probabilities = Tensor(uninitialised: logits.shape)
        ck_softmax_f32(targets.count, classes, 1, logits.pointer, classes, probabilities.mutablePointer, classes)
        var total = 0.0
        for (row, target) in targets.enumerated() {
            precondition(target >= 0 && Int(target) < classes, "cross_entropy: target \(target) of \(classes) classes")
            let x = logits.pointer + row * classes
            // log Σ eˣ through the largest probability, which is at least 1 / classes: the logarithm of the target's own,
            // perhaps tiny and rounded, would lose digits.
            let best = x.indexOfLargest(classes)
            let logSum = x[best] - logf(probabilities.pointer[row * classes + best])
            var loss = Double(weight(Int(target))) * Double(1 - smoothing) * Double(logSum - x[Int(target)])
            if smoothing > 0 {
                var spread = Double(classes) * Double(logSum) - Double(ck_sum_f32(classes, x))
                if let classWeights {
                    spread = 0
                    for i in 0..<classes { spread += Double(classWeights[i]) * Double(logSum - x[i]) }
                }
                loss += Double(smoothing) / Double(classes) * spread
            }
            total += loss
        }
        return (Tensor(scalar: Float(total / divisor)), [probabilities])
    }

    /// `dx = (Σ t · p − t) / divisor` for target weights t of the row.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(uninitialised: saved[0].shape), classes = dx.shape.last
        let scale = gradient.scalar / Float(divisor)
        let share = smoothing / Float(classes)
        let weightSum = smoothing > 0 ? (0..<classes).reduce(Float(0)) { $0 + weight($1) } : 0
        for (row, target) in targets.enumerated() {
            let p = saved[0].pointer + row * classes, out = dx.mutablePointer + row * classes
            let main = weight(Int(target)) * (1 - smoothing)
            let mass = main + share * weightSum
            let (rise, fall) = (mass * scale, share * scale)
            if smoothing > 0, let classWeights {
                for i in 0..<classes { out[i] = p[i] * rise - classWeights[i] * fall }
            } else {
                for i in 0..<classes { out[i] = p[i] * rise - fall }
            }
            out[Int(target)] -= main * scale
        }
        return [dx]
    }

    private func weight(_ index: Int) -> Float { classWeights?[index] ?? 1 }

    private var divisor: Double {
        guard let classWeights else { return Double(targets.count) }
        return targets.reduce(0) { $0 + Double(classWeights[Int($1)]) }
    }
}

extension UnsafePointer<Float> {
    /// Position of the largest of `count` values, a NaN before all others.
    fileprivate func indexOfLargest(_ count: Int) -> Int {
        var best = 0
        for i in 1..<Swift.max(count, 1) where !(self[i] <= self[best]) { best = i }
        return best
    }
}
