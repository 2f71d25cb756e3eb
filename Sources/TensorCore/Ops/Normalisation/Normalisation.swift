import CKernels

/// `y = (x − mean) / √(var + eps) · weight + bias` over the last axis, var divided by n (Ba et al. 2016).
/// Inputs: x `[…, n]`, weight `[n]`, bias `[n]`.
package struct LayerNormalisation: DifferentiableOp {
    package static let name = "layer_norm"
    package let eps: Float

    package init(eps: Float) { self.eps = eps }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), weight = inputs[1].contiguous(), bias = inputs[2].contiguous()
        precondition(
            weight.shape == [x.shape.last] && bias.shape == [x.shape.last],
            "layer_norm: x \(x.shape), weight \(weight.shape), bias \(bias.shape)")
        let y = Tensor(uninitialised: x.shape), rows = x.shape.rows
        let mean = Tensor(uninitialised: [rows]), rstd = Tensor(uninitialised: [rows])
        ck_layer_norm_f32(
            rows, x.shape.last, x.pointer, nil, weight.pointer, bias.pointer, eps, y.mutablePointer,
            mean.mutablePointer,
            rstd.mutablePointer)
        return (y, [mean, rstd])
    }

    /// With `x̂ = (x − mean) · rstd` and `g = dy · weight`: `dx = rstd · (g − mean(g) − x̂ · mean(g · x̂))`,
    /// `dweight = Σ dy · x̂`, `dbias = Σ dy`.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = inputs[0].contiguous(), weight = inputs[1].contiguous()
        let rows = x.shape.rows, n = x.shape.last
        let dx = Tensor(uninitialised: x.shape)
        let dweight = Tensor(repeating: 0, [n]), dbias = Tensor(repeating: 0, [n])
        let dw = dweight.mutablePointer, db = dbias.mutablePointer, w = weight.pointer
        for row in 0..<rows {
            let xs = x.pointer + row * n, dy = gradient.pointer + row * n, out = dx.mutablePointer + row * n
            let mean = saved[0].pointer[row], rstd = saved[1].pointer[row]
            var sum: Double = 0, projection: Double = 0
            for i in 0..<n {
                let normal = (xs[i] - mean) * rstd, g = dy[i] * w[i]
                sum += Double(g)
                projection += Double(g * normal)
                dw[i] += dy[i] * normal
                db[i] += dy[i]
            }
            let meanGradient = Float(sum / Double(n)), meanProjection = Float(projection / Double(n))
            for i in 0..<n {
                let normal = (xs[i] - mean) * rstd
                out[i] = rstd * (dy[i] * w[i] - meanGradient - normal * meanProjection)
            }
        }
        return [dx, dweight, dbias]
    }
}

/// `y = x / max(‖x‖₂, eps)` for each row of the last axis.
package struct L2Normalisation: DifferentiableOp {
    package static let name = "l2_normalize"
    package let eps: Float

    package init(eps: Float = 1e-12) { self.eps = eps }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), y = Tensor(uninitialised: x.shape), n = x.shape.last
        let norms = Tensor(uninitialised: [x.shape.rows])
        for row in 0..<x.shape.rows {
            let xs = x.pointer + row * n
            let norm = ck_dot_f32(n, xs, xs).squareRoot()
            norms.mutablePointer[row] = norm
            // A NaN norm must reach the output, so no `max`.
            let scale = 1 / (norm < eps ? eps : norm)
            for i in 0..<n { y.mutablePointer[row * n + i] = xs[i] * scale }
        }
        return (y, [y, norms])
    }

    /// `dx = (dy − y ⟨dy, y⟩) / ‖x‖`, or `dy / eps` where the norm was below eps.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let y = saved[0], dx = Tensor(uninitialised: y.shape), n = y.shape.last
        for row in 0..<y.shape.rows {
            let norm = saved[1].pointer[row], dy = gradient.pointer + row * n, ys = y.pointer + row * n
            let small = norm < eps
            let inner = small ? 0 : ck_dot_f32(n, dy, ys)
            let scale = 1 / (small ? eps : norm)
            for i in 0..<n { dx.mutablePointer[row * n + i] = (dy[i] - ys[i] * inner) * scale }
        }
        return [dx]
    }
}
