import CKernels
import Glibc

/// `gelu(x) = x/2 · (1 + erf(x/√2))` (Hendrycks & Gimpel 2016, the exact form).
package struct GELU: DifferentiableOp {
    package static let name = "gelu_erf"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), y = Tensor(uninitialised: x.shape)
        ck_gelu_f32(x.count, x.pointer, y.mutablePointer)
        return (y, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = inputs[0].contiguous(), dx = Tensor(uninitialised: x.shape)
        ck_gelu_backward_f32(x.count, x.pointer, gradient.pointer, dx.mutablePointer)
        return [dx]
    }
}

/// `max(x, 0)`; the slope at 0 is 0, and NaN stays NaN.
package struct ReLU: DifferentiableOp {
    package static let name = "relu"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (inputs[0].map { $0 <= 0 ? 0 : $0 }, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [broadcast(Self.name, gradient, inputs[0]) { $1 <= 0 ? 0 : $0 }]
    }
}

package struct Tanh: DifferentiableOp {
    package static let name = "tanh"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let y = inputs[0].map(tanhf)
        return (y, [y])
    }

    /// `dx = dy · (1 − y²)`
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [broadcast(Self.name, gradient, saved[0]) { $0 * (1 - $1 * $1) }]
    }
}

/// `1 / (1 + e^−x)`, without overflow on either side.
package struct Sigmoid: DifferentiableOp {
    package static let name = "sigmoid"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let y = inputs[0].map(Self.value)
        return (y, [y])
    }

    /// `dx = dy · y (1 − y)`
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [broadcast(Self.name, gradient, saved[0]) { $0 * $1 * (1 - $1) }]
    }

    static func value(_ x: Float) -> Float {
        if x >= 0 { return 1 / (1 + expf(-x)) }
        let e = expf(x)
        return e / (1 + e)
    }
}

/// Softmax over the last axis: `y = exp(x − max x) / Σ exp(x − max x)`.
package struct Softmax: DifferentiableOp {
    package static let name = "softmax"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), y = Tensor(uninitialised: x.shape)
        ck_softmax_f32(x.shape.rows, x.shape.last, 1, x.pointer, x.shape.last, y.mutablePointer, x.shape.last)
        return (y, [y])
    }

    /// `dx = y · (dy − ⟨dy, y⟩)` for each row.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let y = saved[0], dx = Tensor(uninitialised: y.shape), width = y.shape.last
        for row in 0..<y.shape.rows {
            let start = row * width
            let inner = ck_dot_f32(width, gradient.pointer + start, y.pointer + start)
            for i in start..<start + width { dx.mutablePointer[i] = y.pointer[i] * (gradient.pointer[i] - inner) }
        }
        return [dx]
    }
}

/// In training, each element is dropped with probability `rate` and the others are scaled by `1 / (1 − rate)`
/// (Srivastava et al. 2014). The mask depends on `seed` alone.
package struct Dropout: DifferentiableOp {
    package static let name = "dropout"
    package let rate: Float
    package let seed: UInt64

    package init(rate: Float, seed: UInt64) {
        precondition((0..<1).contains(rate), "dropout: rate \(rate) is not in 0..<1")
        self.rate = rate
        self.seed = seed
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let mask = Tensor(uninitialised: inputs[0].shape)
        var random = Random(seed: seed)
        for i in 0..<mask.count { mask.mutablePointer[i] = random.uniform() < rate ? 0 : 1 / (1 - rate) }
        return (broadcast(Self.name, inputs[0], mask, *), [mask])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [broadcast(Self.name, gradient, saved[0], *)]
    }
}
