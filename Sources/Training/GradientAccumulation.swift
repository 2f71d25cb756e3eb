import CKernels
package import TensorCore

/// The mean gradient of several batches, each counted by its rows: the gradient of one batch of them all.
package struct GradientAccumulation {
    private var sums: [Tensor] = []
    private var rows = 0

    package init() {}

    /// Adds the gradients of a mean over `rows` rows.
    package mutating func add(_ gradients: [Tensor], rows: Int) {
        if sums.isEmpty { sums = gradients.map { Tensor(repeating: 0, $0.shape) } }
        precondition(gradients.count == sums.count, "\(gradients.count) gradients added to \(sums.count)")
        for (sum, gradient) in zip(sums, gradients) {
            precondition(gradient.shape == sum.shape, "gradient \(gradient.shape) added to \(sum.shape)")
            ck_axpy_f32(sum.count, Float(rows), gradient.contiguous().pointer, sum.mutablePointer)
        }
        self.rows += rows
    }

    /// The mean over all rows added; begins anew.
    package mutating func take() -> [Tensor] {
        let scale = 1 / Float(max(rows, 1)), result = sums
        for sum in result {
            let values = sum.mutablePointer
            for i in 0..<sum.count { values[i] *= scale }
        }
        sums = []
        rows = 0
        return result
    }
}
