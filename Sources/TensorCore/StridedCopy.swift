import CKernels

/// Copies the elements of `source` to the places of `target`, a view of the same shape: runs where both are dense, blocked
/// transposes where the source is dense along another axis.
func copy(_ source: Tensor, to target: Tensor) {
    precondition(source.shape == target.shape, "copy: \(source.shape) to \(target.shape)")
    // The transposes below take an axis out of the loop, and with it an extent of zero.
    guard source.count > 0 else { return }
    let nest = LoopNest(source.shape, [target.strides, source.strides])
    let from = source.pointer, to = target.mutablePointer
    let length = nest.runLength, step = nest.runStrides[0], stride = nest.runStrides[1]
    if step == 1, stride == 1 {
        nest.forEachRunInParallel { at in to.advanced(by: at[0]).update(from: from + at[1], count: length) }
        return
    }
    if step == 1, let axis = nest.extents.indices.first(where: { nest.steps[$0 * 2 + 1] == 1 }), stride > 0 {
        let outer = nest.removing(axis: axis), columns = nest.extents[axis], apart = nest.steps[axis * 2]
        if apart > 0 {
            transposeRuns(outer, columns: columns, from, stride: stride, to, apart: apart)
            return
        }
    }
    nest.forEachRunInParallel { at in
        let x = from + at[1], y = to + at[0]
        for i in 0..<length { y[i * step] = x[i * stride] }
    }
}

/// Each run of `outer` is one matrix: rows `stride` apart in the source become columns `apart` apart in the target.
private func transposeRuns(
    _ outer: LoopNest, columns: Int, _ from: UnsafePointer<Float>, stride: Int, _ to: UnsafeMutablePointer<Float>,
    apart: Int
) {
    let length = outer.runLength
    if outer.runs > 1 {
        WorkerPool.shared.forRanges(outer.runs, grain: (1 << 15) / max(length * columns, 1) + 1) { range in
            outer.forEachRun(in: range) { at in
                ck_transpose_f32(length, columns, from + at[1], stride, to + at[0], apart)
            }
        }
    } else {
        WorkerPool.shared.forRanges(columns, grain: (1 << 15) / max(length, 1) + 1) { range in
            ck_transpose_f32(
                length, range.count, from + range.lowerBound, stride, to + range.lowerBound * apart, apart)
        }
    }
}
