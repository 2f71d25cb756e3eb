import CKernels
import Glibc

/// Softmax cross-entropy of logits against class probabilities of the same shape: `−Σ w · t · log softmax(x)`.
///
/// Shapes as for `CrossEntropy`. Smoothing s turns t into `(1 − s) · t + s / classes`; `mean` divides by the number of positions
/// (PyTorch's definition, also with class weights). Inputs: logits, probabilities; both have gradients.
package struct SoftCrossEntropy: DifferentiableOp {
    package static let name = "cross_entropy_probabilities"
    package let classWeights: [Float]?
    package let smoothing: Float
    package let reduction: Reduction

    package init(classWeights: [Float]? = nil, smoothing: Float = 0, reduction: Reduction = .mean) {
        precondition((0...1).contains(smoothing), "\(Self.name): label smoothing \(smoothing) is not in 0...1")
        precondition(reduction != .batchMean, "\(Self.name): there is no batch mean; use mean or sum")
        self.classWeights = classWeights
        self.smoothing = smoothing
        self.reduction = reduction
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let layout = ClassLayout(Self.name, inputs[0].shape), classes = layout.classes
        precondition(
            inputs[0].shape == inputs[1].shape && classWeights.map { $0.count == classes } ?? true,
            "\(Self.name): logits \(inputs[0].shape), probabilities \(inputs[1].shape), \(classWeights?.count ?? classes) weights"
        )
        let logits = layout.rows(inputs[0]), targets = layout.rows(inputs[1])
        let softmax = Tensor(uninitialised: logits.shape), logSoftmax = Tensor(uninitialised: logits.shape)
        ck_softmax_f32(layout.positions, classes, 1, logits.pointer, classes, softmax.mutablePointer, classes)
        let losses = Tensor(uninitialised: layout.shapeWithoutClasses)
        for row in 0..<layout.positions {
            let start = row * classes, x = logits.pointer + start
            let logSum = x.logSumOfExponentials(classes, softmax: softmax.pointer + start)
            var loss = 0.0
            for i in 0..<classes {
                let value = x[i] - logSum
                logSoftmax.mutablePointer[start + i] = value
                loss -= Double(target(targets.pointer[start + i], i, classes)) * Double(value)
            }
            losses.mutablePointer[row] = Float(loss)
        }
        return (reduction(losses), [softmax, logSoftmax])
    }

    /// With weighted targets τ: `dx = Σ τ · p − τ`, `dt = −w (1 − s) log p`.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let layout = ClassLayout(Self.name, inputs[0].shape), classes = layout.classes
        let targets = layout.rows(inputs[1])
        let dx = Tensor(uninitialised: targets.shape), dt = Tensor(uninitialised: targets.shape)
        let divisor = reduction.divisor(layout.shapeWithoutClasses)
        for row in 0..<layout.positions {
            let start = row * classes, factor = reduction.factor(gradient, row, divisor: divisor)
            var mass: Float = 0
            for i in 0..<classes { mass += target(targets.pointer[start + i], i, classes) }
            for i in 0..<classes {
                let weighted = target(targets.pointer[start + i], i, classes)
                dx.mutablePointer[start + i] = factor * (mass * saved[0].pointer[start + i] - weighted)
                dt.mutablePointer[start + i] =
                    -factor * (classWeights?[i] ?? 1) * (1 - smoothing) * saved[1].pointer[start + i]
            }
        }
        return [needs[0] ? layout.restored(dx) : nil, needs[1] ? layout.restored(dt) : nil]
    }

    private func target(_ probability: Float, _ index: Int, _ classes: Int) -> Float {
        (classWeights?[index] ?? 1) * (probability * (1 - smoothing) + smoothing / Float(classes))
    }
}
