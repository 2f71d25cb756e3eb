import CKernels

/// Scaled dot-product attention over padded batches (Vaswani et al. 2017): `softmax(q kᵀ · scale + mask) v`.
///
/// Inputs: q `[batch, heads, length, size]`, k `[batch, keyHeads, keys, size]`, v `[batch, keyHeads, keys, valueSize]` and, when
/// there is one, an additive mask that broadcasts to `[batch, heads, length, keys]` → `[batch, heads, length, valueSize]`.
/// With fewer key heads (Ainslie et al. 2023) head h reads key head `h / (heads / keyHeads)`. A query that may see no key gets
/// zeros. The inputs may be views, as splitting a width into heads gives them; the result lies in memory as
/// `[batch, length, heads, valueSize]`, so that joining the heads copies nothing.
package struct Attention: DifferentiableOp {
    package static let name = "attention"
    package static let takesStridedGradient = true
    /// Query i sees keys 0…i.
    package let causal: Bool
    package let scale: Float?
    /// Where yes, a query may see a key; broadcasts to `[batch, heads, length, keys]`.
    package let mask: Mask?

    /// `scale` defaults to `1 / √size`.
    package init(causal: Bool = false, scale: Float? = nil, mask: Mask? = nil) {
        self.causal = causal
        self.scale = scale
        self.mask = mask
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let problem = AttentionProblem(self, inputs)
        let output = problem.headLayout(problem.length, problem.heads, problem.valueSize)
        problem.forEachKeyHead(multiplyAdds: problem.size + problem.valueSize) { batch, keyHead in
            let weights = Tensor(uninitialised: [problem.blockRows, problem.keys])
            for head in problem.queryHeads(of: keyHead) {
                for rows in problem.blocks {
                    let keys = problem.visibleKeys(rows)
                    problem.weights(batch, head, keyHead, rows, weights.mutablePointer)
                    product(
                        MatrixView(weights.pointer, rows.count, keys, rowStride: keys),
                        problem.v.matrix(batch, keyHead, 0..<keys),
                        into: output.mutableAt(batch, head, rows.lowerBound), rowStride: output.step(along: 2), pool: nil)
                }
            }
        }
        return (output, [])
    }

    /// With the weights P computed again, a block of queries at a time (keeping them would cost memory with the square of the
    /// length): `dv = Pᵀ dy`, `dP = dy vᵀ`, `dS = P · (dP − Σ dP · P)`, `dq = scale · dS k`, `dk = scale · dSᵀ q`, `dmask = dS`.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let problem = AttentionProblem(self, inputs), dy = gradient
        let size = problem.size, valueSize = problem.valueSize
        let adding = ProductEpilogue(accumulate: true)
        let dq = problem.headLayout(problem.length, problem.heads, size)
        let dk = problem.headLayout(problem.keys, problem.keyHeads, size)
        let dv = problem.headLayout(problem.keys, problem.keyHeads, valueSize)
        for sums in [dk, dv] { sums.storage.pointer.update(repeating: 0, count: sums.count) }
        let dmask =
            needs.count > 3 && needs[3]
            ? Tensor(repeating: 0, [problem.batch, problem.heads, problem.length, problem.keys]) : nil
        problem.forEachKeyHead(multiplyAdds: 3 * size + 2 * valueSize) { batch, keyHead in
            let weights = Tensor(uninitialised: [problem.blockRows, problem.keys])
            let slopes = Tensor(uninitialised: [problem.blockRows, problem.keys])
            let p = weights.mutablePointer, ds = slopes.mutablePointer
            for head in problem.queryHeads(of: keyHead) {
                for rows in problem.blocks {
                    let keys = problem.visibleKeys(rows), first = rows.lowerBound
                    let dys = dy.matrix(batch, head, rows), values = problem.v.matrix(batch, keyHead, 0..<keys)
                    problem.weights(batch, head, keyHead, rows, p)
                    product(
                        MatrixView(p, rows.count, keys, rowStride: keys).transposed, dys,
                        into: dv.mutableAt(batch, keyHead, 0), rowStride: dv.step(along: 2), adding, pool: nil)
                    product(dys, values.transposed, into: ds, rowStride: keys, pool: nil)
                    ck_softmax_backward_f32(rows.count, keys, dmask == nil ? problem.scale : 1, p, ds, ds)
                    if let dmask {
                        for row in 0..<rows.count {
                            dmask.mutableAt(batch, head, first + row).update(from: ds + row * keys, count: keys)
                        }
                        for i in 0..<rows.count * keys { ds[i] *= problem.scale }
                    }
                    let slopes = MatrixView(ds, rows.count, keys, rowStride: keys)
                    product(
                        slopes, problem.k.matrix(batch, keyHead, 0..<keys), into: dq.mutableAt(batch, head, first),
                        rowStride: dq.step(along: 2), pool: nil)
                    product(
                        slopes.transposed, problem.q.matrix(batch, head, rows), into: dk.mutableAt(batch, keyHead, 0),
                        rowStride: dk.step(along: 2), adding, pool: nil)
                }
            }
        }
        return needs.count > 3 ? [dq, dk, dv, dmask] : [dq, dk, dv]
    }
}

/// The operands of one attention, checked, and how the work is cut.
private struct AttentionProblem {
    let q: Tensor, k: Tensor, v: Tensor
    let causal: Bool
    let scale: Float
    /// Both stretched to `[batch, heads, length, keys]`.
    let additive: Tensor?, allowed: Tensor?

    var batch: Int { q.shape[0] }
    var heads: Int { q.shape[1] }
    var length: Int { q.shape[2] }
    var size: Int { q.shape[3] }
    var keyHeads: Int { k.shape[1] }
    var keys: Int { k.shape[2] }
    var valueSize: Int { v.shape[3] }

    init(_ op: Attention, _ inputs: [Tensor]) {
        let (q, k, v) = (inputs[0].shape, inputs[1].shape, inputs[2].shape)
        precondition(
            q.rank == 4 && k.rank == 4 && v.rank == 4 && q[0] == k[0] && q[0] == v[0] && q[3] == k[3] && k[1] == v[1]
                && k[2] == v[2] && k[1] > 0 && q[1] % k[1] == 0,
            "\(Attention.name): q \(q), k \(k), v \(v)")
        self.q = inputs[0]
        self.k = inputs[1]
        self.v = inputs[2]
        causal = op.causal
        scale = op.scale ?? 1 / Float(q[3]).squareRoot()
        let scores: Shape = [q[0], q[1], q[2], k[2]]
        for mask in [inputs.count > 3 ? inputs[3].shape : nil, op.mask?.shape] {
            precondition(
                mask.map { $0.rank <= 4 && $0.broadcast(with: scores) == scores } ?? true,
                "\(Attention.name): mask \(mask ?? []) for scores \(scores)")
        }
        additive = inputs.count > 3 ? inputs[3].expandedView(scores) : nil
        allowed = op.mask?.ones.expandedView(scores)
    }

    /// Queries handled together: their scores stay in the second-level cache.
    var blockRows: Int { max(1, min(length, max(16, (1 << 16) / max(keys, 1)))) }
    var blocks: [Range<Int>] {
        stride(from: 0, to: length, by: blockRows).map { $0..<min($0 + blockRows, length) }
    }

    func queryHeads(of keyHead: Int) -> Range<Int> {
        let group = heads / keyHeads
        return keyHead * group..<(keyHead + 1) * group
    }

    /// How many keys the last query of a block sees.
    func visibleKeys(_ rows: Range<Int>) -> Int { causal ? min(keys, rows.upperBound) : keys }

    /// Uninitialised `[batch, heads, length, size]` that lies in memory as `[batch, length, heads, size]`.
    func headLayout(_ length: Int, _ heads: Int, _ size: Int) -> Tensor {
        Tensor(uninitialised: [batch, length, heads, size]).permutedView([0, 2, 1, 3])
    }

    /// Key heads of all sequences, divided among the worker threads; what one sums, no other touches.
    func forEachKeyHead(multiplyAdds: Int, _ body: (_ batch: Int, _ keyHead: Int) -> Void) {
        let cost = length * keys * multiplyAdds * heads / keyHeads
        WorkerPool.shared.forRanges(batch * keyHeads, grain: 200_000 / max(cost, 1) + 1) { range in
            for unit in range { body(unit / keyHeads, unit % keyHeads) }
        }
    }

    /// The attention weights of a block of queries: `[rows, visible keys]`, without gaps.
    func weights(_ batch: Int, _ head: Int, _ keyHead: Int, _ rows: Range<Int>, _ p: UnsafeMutablePointer<Float>) {
        let keys = visibleKeys(rows), first = rows.lowerBound
        product(
            q.matrix(batch, head, rows), k.matrix(batch, keyHead, 0..<keys).transposed, into: p, rowStride: keys,
            pool: nil)
        if !causal, additive == nil, allowed == nil {
            ck_softmax_f32(rows.count, keys, scale, p, keys, p, keys)
            return
        }
        for row in 0..<rows.count {
            let scores = p + row * keys
            let seen = causal ? min(keys, first + row + 1) : keys
            for key in 0..<seen { scores[key] *= scale }
            if let additive {
                let mask = additive.at(batch, head, first + row), step = additive.step(along: 3)
                for key in 0..<seen { scores[key] += mask[key * step] }
            }
            if let allowed {
                let mask = allowed.at(batch, head, first + row), step = allowed.step(along: 3)
                for key in 0..<seen where mask[key * step] == 0 { scores[key] = -.infinity }
            }
            var visible = 0
            while visible < seen, scores[visible] == -.infinity { visible += 1 }
            if visible == seen {
                scores.update(repeating: 0, count: keys)
            } else {
                ck_softmax_f32(1, seen, 1, scores, seen, scores, seen)
                scores.advanced(by: seen).update(repeating: 0, count: keys - seen)
            }
        }
    }
}

extension Tensor {
    fileprivate func at(_ batch: Int, _ head: Int, _ row: Int) -> UnsafePointer<Float> {
        pointer + batch * step(along: 0) + head * step(along: 1) + row * step(along: 2)
    }

    /// Rows of one head: `[rows, size]`.
    fileprivate func matrix(_ batch: Int, _ head: Int, _ rows: Range<Int>) -> MatrixView {
        MatrixView(
            at(batch, head, rows.lowerBound), rows.count, shape[3], rowStride: step(along: 2), columnStride: step(along: 3))
    }

    fileprivate func mutableAt(_ batch: Int, _ head: Int, _ row: Int) -> UnsafeMutablePointer<Float> {
        mutablePointer + batch * step(along: 0) + head * step(along: 1) + row * step(along: 2)
    }
}
