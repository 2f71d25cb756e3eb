import Glibc

/// Binary cross-entropy of logits against targets of the same shape, both in one for stability:
/// `−v · (w · t · log σ(x) + (1 − t) · log(1 − σ(x)))`, with weights w of the positives and v of the elements, each of a shape
/// that stretches to the logits'.
package struct BinaryCrossEntropy: DifferentiableOp {
    package static let name = "bce_with_logits"
    package let targets: [Float]
    package let positiveWeights: Tensor?
    package let weights: Tensor?
    package let reduction: Reduction

    package init(
        targets: [Float], positiveWeights: Tensor?, weights: Tensor? = nil, reduction: Reduction = .mean
    ) {
        self.targets = targets
        self.positiveWeights = positiveWeights
        self.weights = weights
        self.reduction = reduction
    }

    /// One weight of the positives for each column.
    package init(targets: [Float], positiveWeights: [Float]? = nil, reduction: Reduction = .mean) {
        self.init(
            targets: targets, positiveWeights: positiveWeights.map { Tensor($0, [$0.count]) }, reduction: reduction)
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous()
        precondition(x.count == targets.count, "bce_with_logits: logits \(x.shape), \(targets.count) targets")
        let positive = stretched(positiveWeights, to: x.shape), element = stretched(weights, to: x.shape)
        let losses = Tensor(uninitialised: x.shape)
        for i in 0..<x.count {
            let value = x.pointer[i], target = targets[i]
            // log(1 + e^−|x|) + max(−x, 0) = −log σ(x)
            let softplus = log1pf(expf(-abs(value))) + (value < 0 ? -value : 0)
            let factor = positive.map { 1 + ($0.pointer[i] - 1) * target } ?? 1
            losses.mutablePointer[i] = (element?.pointer[i] ?? 1) * ((1 - target) * value + factor * softplus)
        }
        return (reduction(losses), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = inputs[0].contiguous()
        let positive = stretched(positiveWeights, to: x.shape), element = stretched(weights, to: x.shape)
        return [
            reduction.gradient(gradient, of: x.shape) { i in
                let target = targets[i], factor = positive.map { 1 + ($0.pointer[i] - 1) * target } ?? 1
                let slope = (1 - target) + factor * (Sigmoid.value(x.pointer[i]) - 1)
                return (element?.pointer[i] ?? 1) * slope
            }
        ]
    }

    private func stretched(_ weights: Tensor?, to shape: Shape) -> Tensor? {
        guard let weights else { return nil }
        precondition(
            weights.shape.broadcast(with: shape) == shape, "bce_with_logits: weights \(weights.shape), logits \(shape)")
        return weights.expandedView(shape).contiguous()
    }
}
