import CKernels

/// `y = x / max(‖x‖₂, eps)` along one axis.
package struct L2Normalisation: DifferentiableOp {
    package static let name = "l2_normalize"
    package let axis: Int
    package let eps: Float

    package init(axis: Int = -1, eps: Float = 1e-12) {
        self.axis = axis
        self.eps = eps
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let layout = ReducedAxes(inputs[0].shape, [axis], op: Self.name), x = layout.rows(inputs[0])
        let y = Tensor(uninitialised: x.shape), norms = Tensor(uninitialised: [layout.kept]), n = layout.reduced
        for row in 0..<layout.kept {
            let xs = x.pointer + row * n
            let norm = ck_dot_f32(n, xs, xs).squareRoot()
            norms.mutablePointer[row] = norm
            // A NaN norm must reach the output, so no `max`. Divided, not scaled: 1 / eps may overflow.
            let divisor = norm < eps ? eps : norm
            for i in 0..<n { y.mutablePointer[row * n + i] = xs[i] / divisor }
        }
        return (layout.restored(y), [y, norms])
    }

    /// `dx = (dy − y ⟨dy, y⟩) / ‖x‖`, or `dy / eps` where the norm was below eps.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let layout = ReducedAxes(inputs[0].shape, [axis], op: Self.name), dys = layout.rows(gradient)
        let y = saved[0], dx = Tensor(uninitialised: y.shape), n = layout.reduced
        for row in 0..<layout.kept {
            let norm = saved[1].pointer[row], dy = dys.pointer + row * n, ys = y.pointer + row * n
            let small = norm < eps
            let inner = small ? 0 : ck_dot_f32(n, dy, ys)
            let divisor = small ? eps : norm
            for i in 0..<n { dx.mutablePointer[row * n + i] = (dy[i] - ys[i] * inner) / divisor }
        }
        return [layout.restored(dx)]
    }
}
