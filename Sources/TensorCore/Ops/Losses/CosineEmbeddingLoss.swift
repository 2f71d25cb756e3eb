import CKernels

/// `1 − cos(a, b)` for pairs that belong together (target 1), `max(0, cos(a, b) − margin)` for those that do not (target −1).
/// Inputs a, b `[…, width]`; one target for each row.
package struct CosineEmbeddingLoss: DifferentiableOp {
    package static let name = "cosine_embedding"
    package let targets: [Float]
    package let margin: Float
    package let reduction: Reduction

    package init(targets: [Float], margin: Float = 0, reduction: Reduction = .mean) {
        precondition(targets.allSatisfy { $0 == 1 || $0 == -1 }, "cosine_embedding: a target is neither 1 nor −1")
        self.targets = targets
        self.margin = margin
        self.reduction = reduction
    }

    private let similarity = CosineSimilarity(axis: -1, eps: 1e-6)

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        precondition(
            inputs[0].shape == inputs[1].shape && inputs[0].shape.rows == targets.count,
            "cosine_embedding: a \(inputs[0].shape), b \(inputs[1].shape), \(targets.count) targets")
        let cosines = similarity.forward(inputs).output
        let losses = Tensor(uninitialised: cosines.shape)
        for (row, target) in targets.enumerated() {
            let cosine = cosines.pointer[row], excess = cosine - margin
            losses.mutablePointer[row] = target == 1 ? 1 - cosine : excess <= 0 ? 0 : excess
        }
        return (reduction(losses), [cosines])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let cosines = saved[0].pointer
        let slopes = reduction.gradient(gradient, of: saved[0].shape) { row in
            targets[row] == 1 ? -1 : cosines[row] - margin <= 0 ? 0 : 1
        }
        return similarity.backward(slopes, inputs: inputs, saved: saved, needs: needs)
    }
}
