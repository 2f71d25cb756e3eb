import CKernels
import Glibc

/// Softmax cross-entropy of logits against class indices.
///
/// Logits `[classes]`, `[rows, classes]` or `[batch, classes, d1, …]`, one target for each position in row-major order. With
/// smoothing s a position's loss is `(1 − s) · nll + s / classes · Σ nll of every class`; class weights multiply each class's
/// term. Positions whose target is `ignoreIndex` count for nothing. `mean` divides by the sum of the weights of the targets that
/// count, and is NaN when none does (PyTorch's definition). With `none` the result has the logits' shape without the classes.
package struct CrossEntropy: DifferentiableOp {
    package static let name = "cross_entropy"
    package let targets: [Int32]
    package let classWeights: [Float]?
    package let smoothing: Float
    package let ignoreIndex: Int32?
    package let reduction: Reduction

    package init(
        targets: [Int32], classWeights: [Float]? = nil, smoothing: Float = 0, ignoreIndex: Int32? = nil,
        reduction: Reduction = .mean
    ) {
        precondition((0...1).contains(smoothing), "cross_entropy: label smoothing \(smoothing) is not in 0...1")
        precondition(reduction != .batchMean, "cross_entropy: there is no batch mean; use mean or sum")
        self.targets = targets
        self.classWeights = classWeights
        self.smoothing = smoothing
        self.ignoreIndex = ignoreIndex
        self.reduction = reduction
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let layout = ClassLayout(Self.name, inputs[0].shape)
        let logits = layout.rows(inputs[0]), classes = layout.classes
        precondition(
            layout.positions == targets.count && classWeights.map { $0.count == classes } ?? true,
            "cross_entropy: logits \(inputs[0].shape), \(targets.count) targets, \(classWeights?.count ?? classes) weights"
        )
        let probabilities = Tensor(uninitialised: logits.shape),
            losses = Tensor(uninitialised: layout.shapeWithoutClasses)
        forRows(classes) { rows in
            let start = rows.lowerBound * classes, loss = losses.mutablePointer
            // log Σ eˣ of each row, in the place of its loss.
            ck_softmax_log_sum_f32(
                rows.count, classes, logits.pointer + start, classes, probabilities.mutablePointer + start, classes,
                loss + rows.lowerBound)
            for row in rows {
                let target = targets[row]
                if target == ignoreIndex {
                    loss[row] = 0
                    continue
                }
                precondition(
                    target >= 0 && Int(target) < classes, "cross_entropy: target \(target) of \(classes) classes")
                loss[row] = self.loss(logits.pointer + row * classes, classes, Int(target), logSum: loss[row])
            }
        }
        if reduction == .none { return (losses, [probabilities]) }
        var total = 0.0
        for row in targets.indices { total += Double(losses.pointer[row]) }
        return (Tensor(scalar: Float(total / divisor)), [probabilities])
    }

    /// The loss of one position with scores x `[classes]`.
    private func loss(_ x: UnsafePointer<Float>, _ classes: Int, _ target: Int, logSum: Float) -> Float {
        var loss = Double(weight(target)) * Double(1 - smoothing) * Double(logSum - x[target])
        if smoothing > 0 {
            var spread = Double(classes) * Double(logSum) - Double(ck_sum_f32(classes, x))
            if let classWeights {
                spread = 0
                for i in 0..<classes { spread += Double(classWeights[i]) * Double(logSum - x[i]) }
            }
            loss += Double(smoothing) / Double(classes) * spread
        }
        return Float(loss)
    }

    /// `dx = (Σ t · p − t) / divisor` for target weights t of the position.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(uninitialised: saved[0].shape), classes = dx.shape.last
        let divisor = divisor
        let share = smoothing / Float(classes)
        let weightSum = smoothing > 0 ? (0..<classes).reduce(Float(0)) { $0 + weight($1) } : 0
        forRows(classes) { rows in
            for row in rows {
                let target = targets[row]
                let p = saved[0].pointer + row * classes, out = dx.mutablePointer + row * classes
                if target == ignoreIndex {
                    out.update(repeating: 0, count: classes)
                    continue
                }
                let scale = reduction.factor(gradient, row, divisor: divisor)
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
        }
        return [ClassLayout(Self.name, inputs[0].shape).restored(dx)]
    }

    /// Positions, split over the worker threads when there is enough to do.
    private func forRows(_ classes: Int, _ body: (Range<Int>) -> Void) {
        let rows = targets.count, parts = max(1, min(WorkerPool.shared.threads, rows * classes / 2048))
        WorkerPool.shared.parallel(parts) { part in body(rows * part / parts..<rows * (part + 1) / parts) }
    }

    private func weight(_ index: Int) -> Float { classWeights?[index] ?? 1 }

    private var divisor: Double {
        guard reduction == .mean else { return 1 }
        if classWeights == nil, ignoreIndex == nil { return Double(targets.count) }
        return targets.reduce(0) { $1 == ignoreIndex ? $0 : $0 + Double(weight(Int($1))) }
    }
}

/// Where the classes are: the last axis of a vector or matrix, the second of `[batch, classes, d1, …]`.
struct ClassLayout {
    private let shape: Shape
    private let axis: Int

    init(_ op: String, _ shape: Shape) {
        precondition(shape.rank >= 1, "\(op): scores of shape \(shape) have no classes")
        self.shape = shape
        axis = shape.rank == 1 ? 0 : 1
    }

    var classes: Int { shape[axis] }
    var positions: Int { shapeWithoutClasses.count }

    var shapeWithoutClasses: Shape {
        var dimensions = shape.dimensions
        dimensions.remove(at: axis)
        return Shape(dimensions)
    }

    /// `[positions, classes]`
    func rows(_ x: Tensor) -> Tensor {
        if shape.rank <= 2 { return x.reshapedView([positions, classes]) }
        return x.permutedView([0] + Array(2..<shape.rank) + [1]).reshapedView([positions, classes])
    }

    /// Back from `[positions, classes]`.
    func restored(_ x: Tensor) -> Tensor {
        if shape.rank <= 2 { return x.reshapedView(shape) }
        return x.reshapedView(Shape(shapeWithoutClasses.dimensions + [classes]))
            .permutedView([0, shape.rank - 1] + Array(1..<shape.rank - 1)).contiguous()
    }
}

extension UnsafePointer<Float> {
    /// `log Σ eˣ` of `count` values whose softmax is known: through the largest probability, which is at least 1 / count. The
    /// logarithm of another, perhaps tiny and rounded, would lose digits.
    func logSumOfExponentials(_ count: Int, softmax: UnsafePointer<Float>) -> Float {
        let best = indexOfLargest(count)
        return self[best] - logf(softmax[best])
    }

    /// Position of the largest of `count` values, a NaN before all others.
    private func indexOfLargest(_ count: Int) -> Int {
        var best = 0
        for i in 1..<Swift.max(count, 1) where !(self[i] <= self[best]) { best = i }
        return best
    }
}
