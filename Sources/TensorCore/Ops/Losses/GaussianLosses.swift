import Glibc

/// Divergence of a diagonal Gaussian from the standard one (Kingma & Welling 2014): `−½ Σ (1 + logvar − mu² − e^logvar)` over the
/// last axis. Inputs: mu and logvar `[…, latent]`; `none` gives one value a row, `mean` the mean over the rows.
package struct GaussianDivergence: DifferentiableOp {
    package static let name = "gaussian_kl"
    package let reduction: Reduction

    package init(reduction: Reduction = .mean) { self.reduction = reduction }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let mu = inputs[0].contiguous(), logvar = inputs[1].contiguous(), width = mu.shape.last
        precondition(
            mu.rank >= 1 && mu.shape == logvar.shape, "gaussian_kl: mu \(mu.shape), logvar \(logvar.shape)")
        let losses = Tensor(uninitialised: Shape(Array(mu.shape.dimensions.dropLast())))
        for row in 0..<losses.count {
            var sum = 0.0
            for i in row * width..<(row + 1) * width {
                let m = mu.pointer[i], l = logvar.pointer[i]
                sum += Double(1 + l - m * m - expf(l))
            }
            losses.mutablePointer[row] = Float(-0.5 * sum)
        }
        return (reduction(losses), [])
    }

    /// `dmu = mu`, `dlogvar = ½ (e^logvar − 1)`
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let mu = inputs[0].contiguous(), logvar = inputs[1].contiguous(), width = mu.shape.last
        let divisor = reduction.divisor(Shape(Array(mu.shape.dimensions.dropLast())))
        let dmu = Tensor(uninitialised: mu.shape), dlogvar = Tensor(uninitialised: mu.shape)
        for row in 0..<mu.shape.rows {
            let factor = reduction.factor(gradient, row, divisor: divisor)
            for i in row * width..<(row + 1) * width {
                dmu.mutablePointer[i] = factor * mu.pointer[i]
                dlogvar.mutablePointer[i] = factor * 0.5 * expm1f(logvar.pointer[i])
            }
        }
        return [dmu, dlogvar]
    }
}

/// Negative log-likelihood of targets under Gaussians: `½ (log v + (x − target)² / v)` with `v = max(var, eps)`, plus `½ log 2π`
/// when `full`. Inputs: x, target of the same shape, and var of a shape that stretches to it.
///
/// As in PyTorch, the gradient of var passes through the bound, so that a variance below it can grow again.
package struct GaussianLikelihood: DifferentiableOp {
    package static let name = "gaussian_nll"
    package let eps: Float
    package let full: Bool
    package let reduction: Reduction

    package init(eps: Float = 1e-6, full: Bool = false, reduction: Reduction = .mean) {
        precondition(eps > 0, "gaussian_nll: eps \(eps) is not positive")
        self.eps = eps
        self.full = full
        self.reduction = reduction
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        precondition(
            inputs[0].shape == inputs[1].shape && inputs[2].shape.broadcast(with: inputs[0].shape) == inputs[0].shape,
            "gaussian_nll: x \(inputs[0].shape), target \(inputs[1].shape), var \(inputs[2].shape)")
        let d = broadcast(Self.name, inputs[0], inputs[1], -)
        let v = inputs[2].expandedView(d.shape).map { $0 < eps ? eps : $0 }
        let constant = full ? 0.5 * logf(2 * .pi) : 0
        return (reduction(broadcast(Self.name, d, v) { 0.5 * (logf($1) + $0 * $0 / $1) + constant }), [d, v])
    }

    /// `dx = d / v`, `dvar = ½ (1 / v − d² / v²)`
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let d = saved[0].pointer, v = saved[1].pointer, shape = saved[0].shape
        let dx = reduction.gradient(gradient, of: shape) { d[$0] / v[$0] }
        let dvar =
            needs[2]
            ? reduction.gradient(gradient, of: shape) { i in
                let ratio = d[i] / v[i]
                return 0.5 * (1 / v[i] - ratio * ratio)
            } : nil
        return [needs[0] ? dx : nil, needs[1] ? dx.map(-) : nil, dvar]
    }
}
