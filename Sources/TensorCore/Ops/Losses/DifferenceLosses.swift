import CKernels

/// A loss of `d = x − target`, element by element. Inputs: x and, of the same shape, the target; both have gradients.
package protocol DifferenceLoss: DifferentiableOp {
    var reduction: Reduction { get }
    /// Loss of one element.
    func value(_ d: Float) -> Float
    /// Its derivative.
    func slope(_ d: Float) -> Float
}

extension DifferenceLoss {
    func difference(_ inputs: [Tensor]) -> Tensor {
        precondition(
            inputs[0].shape == inputs[1].shape, "\(Self.name): x \(inputs[0].shape), target \(inputs[1].shape)")
        return broadcast(Self.name, inputs[0], inputs[1], -)
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let d = difference(inputs)
        return (reduction(d.map(value)), [d])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let d = saved[0].pointer, shape = saved[0].shape
        let dx = reduction.gradient(gradient, of: shape) { slope(d[$0]) }
        return [needs[0] ? dx : nil, needs[1] ? dx.map(-) : nil]
    }
}

/// `d²`
package struct MeanSquaredError: DifferenceLoss {
    package static let name = "mse"
    package let reduction: Reduction

    package init(reduction: Reduction = .mean) { self.reduction = reduction }

    package func value(_ d: Float) -> Float { d * d }
    package func slope(_ d: Float) -> Float { 2 * d }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let d = difference(inputs)
        if reduction == .none { return (d.map(value), [d]) }
        let sum = Double(ck_dot_f32(d.count, d.pointer, d.pointer))
        return (Tensor(scalar: Float(sum / reduction.divisor(d.shape))), [d])
    }
}

/// `|d|`; the slope at 0 is 0.
package struct MeanAbsoluteError: DifferenceLoss {
    package static let name = "l1"
    package let reduction: Reduction

    package init(reduction: Reduction = .mean) { self.reduction = reduction }

    package func value(_ d: Float) -> Float { abs(d) }
    package func slope(_ d: Float) -> Float { d > 0 ? 1 : d < 0 ? -1 : d * 0 }
}

/// `½ d²` where `|d| ≤ delta`, else `delta (|d| − ½ delta)` (Huber 1964).
package struct HuberLoss: DifferenceLoss {
    package static let name = "huber"
    package let reduction: Reduction
    package let delta: Float

    package init(delta: Float = 1, reduction: Reduction = .mean) {
        precondition(delta > 0, "huber: delta \(delta) is not positive")
        self.delta = delta
        self.reduction = reduction
    }

    package func value(_ d: Float) -> Float {
        let size = abs(d)
        return size > delta ? delta * (size - 0.5 * delta) : 0.5 * d * d
    }

    package func slope(_ d: Float) -> Float { d > delta ? delta : d < -delta ? -delta : d }
}

/// `½ d² / beta` where `|d| < beta`, else `|d| − ½ beta` (Girshick 2015); with beta 0 the absolute error.
package struct SmoothAbsoluteError: DifferenceLoss {
    package static let name = "smooth_l1"
    package let reduction: Reduction
    package let beta: Float

    package init(beta: Float = 1, reduction: Reduction = .mean) {
        precondition(beta >= 0, "smooth_l1: beta \(beta) is negative")
        self.beta = beta
        self.reduction = reduction
    }

    package func value(_ d: Float) -> Float {
        let size = abs(d)
        return size >= beta ? size - 0.5 * beta : 0.5 * d * d / beta
    }

    package func slope(_ d: Float) -> Float {
        d >= beta && d > 0 ? 1 : d <= -beta && d < 0 ? -1 : beta > 0 ? d / beta : d * 0
    }
}
