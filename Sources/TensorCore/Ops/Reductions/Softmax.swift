import CKernels
import Glibc

/// Softmax along one axis: `y = exp(x − max x) / Σ exp(x − max x)`.
package struct Softmax: DifferentiableOp {
    package static let name = "softmax"
    package let axis: Int
    package init(axis: Int = -1) { self.axis = axis }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let layout = ReducedAxes(inputs[0].shape, [axis], op: Self.name), x = layout.rows(inputs[0])
        let y = Tensor(uninitialised: x.shape), n = layout.reduced
        let from = x.pointer, to = y.mutablePointer
        WorkerPool.shared.forRanges(layout.kept, grain: (1 << 13) / max(n, 1) + 1) { range in
            let at = range.lowerBound * n
            ck_softmax_f32(range.count, n, 1, from + at, n, to + at, n)
        }
        return (layout.restored(y), [y])
    }

    /// `dx = y · (dy − ⟨dy, y⟩)` for each row.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let layout = ReducedAxes(inputs[0].shape, [axis], op: Self.name), rows = layout.rows(gradient)
        let dx = Tensor(uninitialised: rows.shape), n = layout.reduced
        let y = saved[0].pointer, dy = rows.pointer, to = dx.mutablePointer
        WorkerPool.shared.forRanges(layout.kept, grain: (1 << 14) / max(n, 1) + 1) { range in
            let at = range.lowerBound * n
            ck_softmax_backward_f32(range.count, n, 1, y + at, dy + at, to + at)
        }
        return [layout.restored(dx)]
    }
}

/// `x − ln Σ eˣ` along one axis.
package struct LogSoftmax: DifferentiableOp {
    package static let name = "log_softmax"
    package let axis: Int
    package init(axis: Int = -1) { self.axis = axis }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let layout = ReducedAxes(inputs[0].shape, [axis], op: Self.name), x = layout.rows(inputs[0])
        let y = Tensor(uninitialised: x.shape), n = layout.reduced
        let from = x.pointer, to = y.mutablePointer
        WorkerPool.shared.forRanges(layout.kept, grain: (1 << 13) / max(n, 1) + 1) { range in
            for row in range {
                let xs = from + row * n, ys = to + row * n
                var largest = -Float.infinity
                for i in 0..<n where xs[i] > largest || xs[i].isNaN { largest = xs[i] }
                for i in 0..<n { ys[i] = xs[i] - largest }
                let sum = exponentialSum(ys, n)
                for i in 0..<n { ys[i] -= sum }
            }
        }
        return (layout.restored(y), [y])
    }

    /// `dx = dy − e^y · Σ dy` for each row.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let layout = ReducedAxes(inputs[0].shape, [axis], op: Self.name), rows = layout.rows(gradient)
        let dx = Tensor(uninitialised: rows.shape), n = layout.reduced
        let y = saved[0].pointer, dy = rows.pointer, to = dx.mutablePointer
        WorkerPool.shared.forRanges(layout.kept, grain: (1 << 13) / max(n, 1) + 1) { range in
            let at = range.lowerBound * n
            ck_map_f32(ck_map_exp, range.count * n, y + at, to + at)
            for row in range {
                let sum = ck_sum_f32(n, dy + row * n)
                for i in row * n..<(row + 1) * n { to[i] = dy[i] - to[i] * sum }
            }
        }
        return [layout.restored(dx)]
    }
}

/// `ln Σ eˣ` of numbers none of which is above 0.
private func exponentialSum(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 512) { block in
        guard let powers = block.baseAddress else { return 0 }
        var sum: Float = 0
        for start in stride(from: 0, to: count, by: 512) {
            let length = min(512, count - start)
            ck_map_f32(ck_map_exp, length, x + start, powers)
            sum += ck_sum_f32(length, powers)
        }
        return logf(sum)
    }
}
