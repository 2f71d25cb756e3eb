import CKernels

/// `y = x Wᵀ (+ b)`: x `[…, in]`, W `[out, in]`, b `[out]` → `[…, out]`. Inputs: x, W and, when there is one, b.
package struct LinearProduct: DifferentiableOp {
    package static let name = "linear"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let y = Tensor(uninitialised: Self.outputShape(Self.name, inputs))
        Self.product(inputs, into: y, ProductEpilogue())
        return (y, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        var gradients = Self.gradients(gradient, inputs, needs)
        if inputs.count > 2 { gradients.append(needs[2] ? sumOfRows(gradient) : nil) }
        return gradients
    }

    /// `[…, out]` of x `[…, in]`, W `[out, in]` and, if there is one, b `[out]`.
    static func outputShape(_ op: String, _ inputs: [Tensor]) -> Shape {
        let x = inputs[0], weight = inputs[1]
        precondition(
            x.rank >= 1 && weight.rank == 2 && x.shape.last == weight.shape[1],
            "\(op): x \(x.shape), weight \(weight.shape)")
        if inputs.count > 2 {
            precondition(inputs[2].shape == [weight.shape[0]], "\(op): bias \(inputs[2].shape), weight \(weight.shape)")
        }
        return Shape(x.shape.dimensions.dropLast() + [weight.shape[0]])
    }

    /// `y = x Wᵀ + b`, with what `epilogue` adds to it.
    static func product(_ inputs: [Tensor], into y: Tensor, _ epilogue: ProductEpilogue) {
        let x = inputs[0].asRows, bias = inputs.count > 2 ? inputs[2].contiguous() : nil
        var epilogue = epilogue
        epilogue.bias = bias?.pointer
        TensorCore.product(
            MatrixView(x), MatrixView(inputs[1]).transposed, into: y.mutablePointer, rowStride: y.shape.last, epilogue)
        withExtendedLifetime(bias) {}
    }

    /// `dx = dy W`, `dW = dyᵀ x`
    static func gradients(_ dy: Tensor, _ inputs: [Tensor], _ needs: [Bool]) -> [Tensor?] {
        let dy = dy.asRows
        return [
            needs[0] ? multiply(dy, inputs[1]).reshapedView(inputs[0].shape) : nil,
            needs[1] ? multiply(dy, transposeA: true, inputs[0].asRows) : nil,
        ]
    }
}

/// `gelu(x Wᵀ + b)` in one pass over the result: x `[…, in]`, W `[out, in]`, b `[out]` → `[…, out]`. Inputs: x, W and b.
///
/// The slope `gelu'` is kept instead of the values before the activation: both need the same erf, and the backward pass is then a
/// multiplication.
package struct LinearGELU: DifferentiableOp {
    package static let name = "linear_gelu"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let y = Tensor(uninitialised: LinearProduct.outputShape(Self.name, inputs)),
            slope = Tensor(uninitialised: y.shape)
        LinearProduct.product(inputs, into: y, ProductEpilogue(activation: .gelu, slope: slope.mutablePointer))
        return (y, [slope])
    }

    package func untrackedForward(_ inputs: [Tensor]) -> Tensor {
        let y = Tensor(uninitialised: LinearProduct.outputShape(Self.name, inputs))
        LinearProduct.product(inputs, into: y, ProductEpilogue(activation: .gelu))
        return y
    }

    /// With `dz = dy · gelu'`: `dx = dz W`, `dW = dzᵀ x`, `db = Σ rows dz`.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dz = Tensor(uninitialised: gradient.shape), bias = Tensor(uninitialised: [gradient.shape.last])
        let rows = dz.shape.rows, width = dz.shape.last
        // By stripes of columns: each sums its part of the bias's gradient, in the order of the rows.
        let panel = ck_panel, panels = (width + panel - 1) / panel
        let parts = max(1, min(WorkerPool.shared.threads, panels, rows * width / 8192))
        WorkerPool.shared.parallel(parts) { part in
            let from = min(panels * part / parts * panel, width), to = min(panels * (part + 1) / parts * panel, width)
            ck_multiply_sum_rows_f32(
                rows, to - from, gradient.pointer + from, saved[0].pointer + from, width, dz.mutablePointer + from,
                bias.mutablePointer + from)
        }
        return LinearProduct.gradients(dz, inputs, needs) + [needs[2] ? bias : nil]
    }
}

extension Tensor {
    /// All axes but the last as one: `[rows, width]`.
    var asRows: Tensor { rank == 2 ? self : reshapedView([shape.rows, shape.last]) }
}

/// Σ over all axes but the last → `[width]`, in the order of the rows.
func sumOfRows(_ x: Tensor) -> Tensor {
    let sum = Tensor(uninitialised: [x.shape.last])
    ck_sum_rows_f32(x.shape.rows, sum.count, x.pointer, sum.count, sum.mutablePointer)
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
