import CKernels

/// `y = x Wᵀ (+ b)`: x `[…, in]`, W `[out, in]`, b `[out]` → `[…, out]`. Inputs: x, W and, when there is one, b.
package struct LinearProduct: DifferentiableOp {
    package static let name = "linear"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0], weight = inputs[1]
        precondition(
            x.rank >= 1 && weight.rank == 2 && x.shape.last == weight.shape[1],
            "linear: x \(x.shape), weight \(weight.shape)")
        let y = multiply(x.reshapedView([x.shape.rows, x.shape.last]), weight, transposeB: true)
        if inputs.count > 2 {
            let bias = inputs[2].contiguous()
            precondition(bias.shape == [weight.shape[0]], "linear: bias \(bias.shape), weight \(weight.shape)")
            for row in 0..<y.shape[0] { ck_axpy_f32(bias.count, 1, bias.pointer, y.mutablePointer + row * bias.count) }
        }
        return (y.reshapedView(Shape(x.shape.dimensions.dropLast() + [weight.shape[0]])), [])
    }

    /// `dx = dy W`, `dW = dyᵀ x`, `db = Σ rows dy`
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = inputs[0], weight = inputs[1]
        let dy = gradient.reshapedView([x.shape.rows, weight.shape[0]])
        let rows = x.reshapedView([x.shape.rows, x.shape.last])
        var gradients: [Tensor?] = [
            needs[0] ? multiply(dy, weight).reshapedView(x.shape) : nil,
            needs[1] ? multiply(dy, transposeA: true, rows) : nil,
        ]
        if inputs.count > 2 {
            gradients.append(needs[2] ? sumOfRows(dy) : nil)
        }
        return gradients
    }
}

/// Σ over the rows of `[rows, width]` → `[width]`.
func sumOfRows(_ x: Tensor) -> Tensor {
    let sum = Tensor(repeating: 0, [x.shape.last])
    for row in 0..<x.shape.rows { ck_axpy_f32(sum.count, 1, x.pointer + row * sum.count, sum.mutablePointer) }
    return sum
}

/// `a b` of two matrices, or of stacks of matrices with equal leading axes: `[…, m, k] · […, k, n]` → `[…, m, n]`.
package struct MatrixProduct: DifferentiableOp {
    package static let name = "matmul"
    package let transposeA: Bool, transposeB: Bool

    package init(transposeA: Bool = false, transposeB: Bool = false) {
        self.transposeA = transposeA
        self.transposeB = transposeB
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (stacked(inputs[0], transposeA, inputs[1], transposeB), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let a = inputs[0], b = inputs[1]
        let da =
            needs[0]
            ? (transposeA ? stacked(b, transposeB, gradient, true) : stacked(gradient, false, b, !transposeB)) : nil
        let db =
            needs[1]
            ? (transposeB ? stacked(gradient, true, a, transposeA) : stacked(a, !transposeA, gradient, false)) : nil
        return [da, db]
    }

    private func stacked(_ a: Tensor, _ transposeA: Bool, _ b: Tensor, _ transposeB: Bool) -> Tensor {
        let lead = Array(a.shape.dimensions.dropLast(2))
        precondition(
            a.rank >= 2 && lead == Array(b.shape.dimensions.dropLast(2)), "matmul: \(a.shape) by \(b.shape)")
        if lead.isEmpty { return multiply(a, transposeA: transposeA, b, transposeB: transposeB) }
        let count = Shape(lead).count
        let left = a.reshapedView([count, a.shape[-2], a.shape[-1]]),
            right = b.reshapedView([count, b.shape[-2], b.shape[-1]])
        let m = transposeA ? a.shape[-1] : a.shape[-2], n = transposeB ? b.shape[-2] : b.shape[-1]
        let output = Tensor(uninitialised: Shape(lead + [m, n]))
        for index in 0..<count {
            let part = multiply(
                left.rows(index..<index + 1).reshapedView([a.shape[-2], a.shape[-1]]), transposeA: transposeA,
                right.rows(index..<index + 1).reshapedView([b.shape[-2], b.shape[-1]]), transposeB: transposeB)
            output.mutablePointer.advanced(by: index * m * n).update(from: part.pointer, count: m * n)
        }
        return output
    }
}
