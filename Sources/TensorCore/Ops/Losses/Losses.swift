import CKernels
import Glibc

/// Binary cross-entropy of logits against targets of the same shape, both in one for stability → scalar, the mean over all
/// elements: `−(w · t · log σ(x) + (1 − t) · log(1 − σ(x)))`, with a weight w for positives in each column.
package struct BinaryCrossEntropy: DifferentiableOp {
    package static let name = "bce_with_logits"
    package let targets: [Float]
    package let positiveWeights: [Float]?

    package init(targets: [Float], positiveWeights: [Float]? = nil) {
        self.targets = targets
        self.positiveWeights = positiveWeights
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), columns = x.shape.last
        precondition(
            x.count == targets.count && positiveWeights.map { $0.count == columns } ?? true,
            "bce_with_logits: logits \(x.shape), \(targets.count) targets")
        var total = 0.0
        for i in 0..<x.count {
            let value = x.pointer[i], target = targets[i]
            // log(1 + e^−|x|) + max(−x, 0) = −log σ(x)
            let softplus = log1pf(expf(-abs(value))) + max(-value, 0)
            let factor = 1 + (positiveWeight(i % columns) - 1) * target
            total += Double((1 - target) * value + factor * softplus)
        }
        return (Tensor(scalar: Float(total / Double(x.count))), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = inputs[0].contiguous(), columns = x.shape.last
        let dx = Tensor(uninitialised: x.shape), scale = gradient.scalar / Float(x.count)
        for i in 0..<x.count {
            let target = targets[i], factor = 1 + (positiveWeight(i % columns) - 1) * target
            dx.mutablePointer[i] = ((1 - target) + factor * (Sigmoid.value(x.pointer[i]) - 1)) * scale
        }
        return [dx]
    }

    private func positiveWeight(_ column: Int) -> Float { positiveWeights?[column] ?? 1 }
}

/// Mean of `(x − target)²` over all elements → scalar. Inputs: x and, of the same shape, the target.
package struct MeanSquaredError: DifferentiableOp {
    package static let name = "mse"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        precondition(inputs[0].shape == inputs[1].shape, "mse: \(inputs[0].shape) and \(inputs[1].shape)")
        let difference = broadcast(Self.name, inputs[0], inputs[1], -)
        let sum = ck_dot_f32(difference.count, difference.pointer, difference.pointer)
        return (Tensor(scalar: sum / Float(difference.count)), [difference])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let scale = 2 * gradient.scalar / Float(saved[0].count)
        return [needs[0] ? saved[0].map { $0 * scale } : nil, needs[1] ? saved[0].map { -$0 * scale } : nil]
    }
}
