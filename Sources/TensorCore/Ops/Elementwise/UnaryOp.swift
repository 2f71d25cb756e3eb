package import CKernels

/// An element-wise function computed by a vector kernel, its slope too.
package protocol KernelUnaryOp: DifferentiableOp {
    static var kernel: ck_map { get }
}

extension KernelUnaryOp {
    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), y = Tensor(uninitialised: x.shape)
        let from = x.pointer, to = y.mutablePointer
        WorkerPool.shared.forRanges(x.count, grain: 1 << 14) { range in
            ck_map_f32(Self.kernel, range.count, from + range.lowerBound, to + range.lowerBound)
        }
        return (y, ck_map_keeps_output(Self.kernel) != 0 ? [y] : [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let kept = saved.first ?? inputs[0].contiguous(), dx = Tensor(uninitialised: gradient.shape)
        let x = kept.pointer, dy = gradient.pointer, to = dx.mutablePointer
        WorkerPool.shared.forRanges(dx.count, grain: 1 << 14) { range in
            let at = range.lowerBound
            ck_map_backward_f32(Self.kernel, range.count, x + at, dy + at, to + at)
        }
        return [dx]
    }
}

/// An element-wise function given as a formula.
package protocol UnaryOp: DifferentiableOp {
    func value(_ x: Float) -> Float
    /// The slope at x, with `y = value(x)`.
    func slope(_ x: Float, _ y: Float) -> Float
    /// Whether `slope` reads y. Keeping it costs memory, computing it again time.
    static var keepsOutput: Bool { get }
}

extension UnaryOp {
    package static var keepsOutput: Bool { false }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), y = Tensor(uninitialised: x.shape)
        let from = x.pointer, to = y.mutablePointer
        WorkerPool.shared.forRanges(x.count, grain: 1 << 14) { range in
            for i in range { to[i] = value(from[i]) }
        }
        return (y, Self.keepsOutput ? [y] : [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = inputs[0].contiguous(), y = saved.first ?? x, dx = Tensor(uninitialised: x.shape)
        let xs = x.pointer, ys = y.pointer, dy = gradient.pointer, to = dx.mutablePointer
        WorkerPool.shared.forRanges(x.count, grain: 1 << 14) { range in
            for i in range { to[i] = dy[i] * slope(xs[i], ys[i]) }
        }
        return [dx]
    }
}

/// A function whose slope is 0 wherever it has one: rounding and signs.
package protocol StepOp: UnaryOp {}

extension StepOp {
    package func slope(_ x: Float, _ y: Float) -> Float { 0 }
}
