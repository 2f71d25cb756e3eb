import CKernels

/// Scaled dot-product attention inside each sequence of a packed batch (Vaswani et al. 2017):
/// `softmax(q kᵀ · scale) v` for each sequence and head. Inputs q, k, v `[tokens, heads · size]`; they may be column views of
/// one matrix. Nothing is padded: a sequence never sees its neighbours.
package struct PackedAttention: DifferentiableOp {
    package static let name = "packed_attention"
    package let offsets: SequenceOffsets
    package let heads: Int
    package let scale: Float

    /// `scale` defaults to `1 / √(head size)`.
    package init(_ offsets: SequenceOffsets, heads: Int, width: Int, scale: Float? = nil) {
        precondition(heads > 0 && width % heads == 0, "packed_attention: width \(width) for \(heads) heads")
        self.offsets = offsets
        self.heads = heads
        self.scale = scale ?? 1 / Float(width / heads).squareRoot()
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let (q, k, v) = operands(inputs)
        let size = q.shape[1] / heads
        let output = Tensor(uninitialised: q.shape)
        forSequences(multiplyAdds: 2 * size) { rows in
            let length = rows.count
            let keys = Tensor(uninitialised: [ck_packed_count(size, length)])
            let values = Tensor(uninitialised: [ck_packed_count(length, size)])
            let scores = Tensor(uninitialised: [length * length])
            for head in 0..<heads {
                let column = head * size
                ck_pack(size, length, k.at(rows.lowerBound, column), 1, k.step(along: 0), keys.mutablePointer)
                ck_pack(length, size, v.at(rows.lowerBound, column), v.step(along: 0), 1, values.mutablePointer)
                ck_gemm_packed_f32(
                    length, length, size, q.at(rows.lowerBound, column), q.step(along: 0), keys.pointer, nil,
                    ck_identity,
                    0, scores.mutablePointer, length)
                ck_softmax_f32(length, length, scale, scores.pointer, length, scores.mutablePointer, length)
                ck_gemm_packed_f32(
                    length, size, length, scores.pointer, length, values.pointer, nil, ck_identity, 0,
                    output.mutablePointer + rows.lowerBound * output.step(along: 0) + column, output.step(along: 0))
            }
        }
        return (output, [])
    }

    /// With `P = softmax(q kᵀ · scale)` computed again (cheaper than keeping it): `dv = Pᵀ dy`, `dP = dy vᵀ`,
    /// `dS = P · (dP − Σ dP · P)`, `dq = scale · dS k`, `dk = scale · dSᵀ q`.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let (q, k, v) = operands(inputs)
        let width = q.shape[1], size = width / heads
        let dq = Tensor(uninitialised: q.shape), dk = Tensor(uninitialised: k.shape),
            dv = Tensor(uninitialised: v.shape)
        forSequences(multiplyAdds: 5 * size) { rows in
            let length = rows.count
            let weights = Tensor(uninitialised: [length, length]), dweights = Tensor(uninitialised: [length, length])
            for head in 0..<heads {
                let column = head * size, at = rows.lowerBound * width + column
                let queries = q.at(rows.lowerBound, column), keys = k.at(rows.lowerBound, column)
                let values = v.at(rows.lowerBound, column), slopes = gradient.pointer + at
                let p = weights.mutablePointer, ds = dweights.mutablePointer
                func view(_ pointer: UnsafePointer<Float>, _ columns: Int, _ rowStride: Int) -> MatrixView {
                    MatrixView(pointer, length, columns, rowStride: rowStride)
                }
                let q = view(queries, size, q.step(along: 0)), k = view(keys, size, k.step(along: 0))
                let v = view(values, size, v.step(along: 0)), dy = view(slopes, size, width)
                product(q, k.transposed, into: p, rowStride: length, pool: nil)
                ck_softmax_f32(length, length, scale, p, length, p, length)
                product(view(p, length, length).transposed, dy, into: dv.mutablePointer + at, rowStride: width, pool: nil)
                product(dy, v.transposed, into: ds, rowStride: length, pool: nil)
                ck_softmax_backward_f32(length, length, scale, p, ds, ds)
                product(view(ds, length, length), k, into: dq.mutablePointer + at, rowStride: width, pool: nil)
                product(view(ds, length, length).transposed, q, into: dk.mutablePointer + at, rowStride: width, pool: nil)
            }
        }
        return [dq, dk, dv]
    }

    /// Calls `body` with the rows of each sequence, on several threads when the products are worth it.
    private func forSequences(multiplyAdds: Int, _ body: (Range<Int>) -> Void) {
        var work = 0
        for sequence in 0..<offsets.count {
            work += offsets[sequence].count * offsets[sequence].count * heads * multiplyAdds
        }
        let parts = max(1, min(offsets.count, WorkerPool.shared.threads * 4, work / 200_000))
        WorkerPool.shared.parallel(parts) { part in
            for sequence in offsets.count * part / parts..<offsets.count * (part + 1) / parts {
                body(offsets[sequence])
            }
        }
    }

    private func operands(_ inputs: [Tensor]) -> (Tensor, Tensor, Tensor) {
        let dense = inputs.map { $0.step(along: 1) == 1 ? $0 : $0.contiguous() }
        precondition(
            dense.allSatisfy { $0.shape == dense[0].shape } && dense[0].shape[0] == offsets.rows,
            "packed_attention: q \(inputs[0].shape), k \(inputs[1].shape), v \(inputs[2].shape) for \(offsets.rows) packed rows"
        )
        return (dense[0], dense[1], dense[2])
    }
}

extension Tensor {
    /// Address of an element of a matrix whose columns are neighbours.
    fileprivate func at(_ row: Int, _ column: Int) -> UnsafePointer<Float> { pointer + row * step(along: 0) + column }
}
