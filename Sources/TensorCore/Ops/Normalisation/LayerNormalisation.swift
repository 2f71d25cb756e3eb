import CKernels

/// `y = (x − mean) / √(var + eps) · weight + bias` over the last `axes` axes, var divided by n (Ba et al. 2016).
/// Inputs: x `[…, n]` and, when there are any, weight and bias of the shape of those axes.
package struct LayerNormalisation: DifferentiableOp {
    package static let name = "layer_norm"
    package let eps: Float
    package let axes: Int

    package init(eps: Float, axes: Int = 1) {
        self.eps = eps
        self.axes = axes
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let rows = NormalisedRows(Self.name, inputs, axes: axes)
        let y = Tensor(uninitialised: inputs[0].shape), n = rows.width
        let mean = Tensor(uninitialised: [rows.count]), rstd = Tensor(uninitialised: [rows.count])
        let from = rows.x.pointer, to = y.mutablePointer, means = mean.mutablePointer, scales = rstd.mutablePointer
        let weight = rows.weight?.pointer, bias = rows.bias?.pointer
        WorkerPool.shared.forRanges(rows.count, grain: (1 << 14) / max(n, 1) + 1) { range in
            let first = range.lowerBound
            ck_layer_norm_f32(
                range.count, n, from + first * n, nil, weight, bias, eps, to + first * n, means + first,
                scales + first)
        }
        return (y, [mean, rstd])
    }

    /// With `x̂ = (x − mean) · rstd` and `g = dy · weight`: `dx = rstd · (g − mean(g) − x̂ · mean(g · x̂))`,
    /// `dweight = Σ dy · x̂`, `dbias = Σ dy`.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        NormalisedRows(Self.name, inputs, axes: axes).gradients(gradient, mean: saved[0], rstd: saved[1], needs)
    }
}

/// `y = x / √(mean(x²) + eps) · weight` over the last `axes` axes (Zhang & Sennrich 2019).
/// Inputs: x `[…, n]` and, when there is one, weight of the shape of those axes.
package struct RMSNormalisation: DifferentiableOp {
    package static let name = "rms_norm"
    package let eps: Float
    package let axes: Int

    package init(eps: Float, axes: Int = 1) {
        self.eps = eps
        self.axes = axes
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let rows = NormalisedRows(Self.name, inputs, axes: axes), n = rows.width
        let y = Tensor(uninitialised: inputs[0].shape), rstd = Tensor(uninitialised: [rows.count])
        let from = rows.x.pointer, to = y.mutablePointer, scales = rstd.mutablePointer
        let weight = rows.weight?.pointer
        WorkerPool.shared.forRanges(rows.count, grain: (1 << 14) / max(n, 1) + 1) { range in
            let first = range.lowerBound
            ck_rms_norm_f32(range.count, n, from + first * n, weight, eps, to + first * n, scales + first)
        }
        return (y, [rstd])
    }

    /// With `x̂ = x · rstd` and `g = dy · weight`: `dx = rstd · (g − x̂ · mean(g · x̂))`, `dweight = Σ dy · x̂`.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        NormalisedRows(Self.name, inputs, axes: axes).gradients(gradient, mean: nil, rstd: saved[0], needs)
    }
}

/// The operands of a norm over trailing axes, as rows.
private struct NormalisedRows {
    let x: Tensor
    let weight: Tensor?, bias: Tensor?
    let count: Int, width: Int

    init(_ op: String, _ inputs: [Tensor], axes: Int) {
        let shape = inputs[0].shape
        precondition((1...max(shape.rank, 1)).contains(axes) && shape.rank > 0, "\(op): \(axes) axes of shape \(shape)")
        let trailing = Shape(Array(shape.dimensions.suffix(axes)))
        precondition(
            inputs.dropFirst().allSatisfy { $0.shape == trailing },
            "\(op): x \(shape), weight and bias \(inputs.dropFirst().map { "\($0.shape)" }.joined(separator: ", "))")
        x = inputs[0].contiguous()
        weight = inputs.count > 1 ? inputs[1].contiguous() : nil
        bias = inputs.count > 2 ? inputs[2].contiguous() : nil
        width = trailing.count
        count = shape.dimensions.dropLast(axes).reduce(1, *)
    }

    /// The gradients of x, weight and bias. Each thread sums the weight's and the bias's over its own rows.
    func gradients(_ dy: Tensor, mean: Tensor?, rstd: Tensor, _ needs: [Bool]) -> [Tensor?] {
        let dx = needs[0] ? Tensor(uninitialised: x.shape) : nil
        let pool = WorkerPool.shared, n = width
        let parts = max(1, min(pool.threads, count * n / (1 << 14)))
        let dweight = needs.count > 1 && needs[1] ? Tensor(repeating: 0, [parts, n]) : nil
        let dbias = needs.count > 2 && needs[2] ? Tensor(repeating: 0, [parts, n]) : nil
        let xs = x.pointer, dys = dy.pointer, w = weight?.pointer, means = mean?.pointer, scales = rstd.pointer
        let dxs = dx?.mutablePointer, dw = dweight?.mutablePointer, db = dbias?.mutablePointer
        pool.parallel(parts) { part in
            let from = count * part / parts, to = count * (part + 1) / parts
            ck_norm_backward_f32(
                to - from, n, xs + from * n, dys + from * n, w, means.map { $0 + from }, scales + from,
                dxs.map { $0 + from * n }, dw.map { $0 + part * n }, db.map { $0 + part * n })
        }
        func joined(_ partial: Tensor?) -> Tensor? {
            partial.map { $0.sum(over: [0]).reshapedView(weight?.shape ?? [n]) }
        }
        return Array([dx, joined(dweight), joined(dbias)].prefix(needs.count))
    }
}
