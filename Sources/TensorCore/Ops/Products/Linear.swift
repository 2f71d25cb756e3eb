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
func sumOfRows(_ x: Tensor) -> Tensor { x.sum(over: [0]).reshapedView([x.shape.last]) }
