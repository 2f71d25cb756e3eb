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
        return x.shape.replacingLast(weight.shape[0])
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

/// Σ over all axes but the last → `[width]`.
func sumOfRows(_ x: Tensor) -> Tensor { x.asRows.sum(over: [0]).reshapedView([x.shape.last]) }
