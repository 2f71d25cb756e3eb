/// Whole numbers that say where to read or write: an attribute of an op, not a tensor. Negative ones count from the end.
package struct Indices: Sendable, Equatable {
    package let values: [Int]
    package let shape: Shape

    package init(_ values: [Int], _ shape: Shape) {
        precondition(values.count == shape.count, "indices: \(values.count) values for shape \(shape)")
        self.values = values
        self.shape = shape
    }

    package init(_ values: [Int]) { self.init(values, [values.count]) }

    /// From 0, all below `extent`.
    func resolved(_ extent: Int, op: String) -> [Int] {
        values.map { value in
            let index = value < 0 ? value + extent : value
            precondition((0..<extent).contains(index), "\(op): index \(value) of an axis of \(extent)")
            return index
        }
    }
}

/// Where the elements that an index tensor names lie, along one axis: element `[i, j, k]` of the indices stands for
/// `[index, j, k]` of the tensor (axis 0), and so on. The indices' other axes may be shorter than the tensor's.
func offsets(of indices: Indices, along axis: Int, in shape: Shape, op: String) -> [Int] {
    let resolved = axis < 0 ? axis + shape.rank : axis
    precondition(
        indices.shape.rank == shape.rank && (0..<shape.rank).contains(resolved)
            && (0..<shape.rank).allSatisfy { $0 == resolved || indices.shape[$0] <= shape[$0] },
        "\(op): indices \(indices.shape) along axis \(axis) of shape \(shape)")
    let strides = shape.contiguousStrides
    var others = strides
    others[resolved] = 0
    var result = indices.resolved(shape[resolved], op: op)
    let nest = LoopNest(indices.shape, [indices.shape.contiguousStrides, others])
    result.withUnsafeMutableBufferPointer { places in
        nest.forEachRun { at in
            for i in 0..<nest.runLength {
                let place = at[0] + i * nest.runStrides[0]
                places[place] = places[place] * strides[resolved] + at[1] + i * nest.runStrides[1]
            }
        }
    }
    return result
}

/// Where the blocks that rows of indices name begin: each row of the last axis of `indices` `[…, depth]` names a place along the
/// first `depth` axes (after `batchAxes` leading ones both share) and stands for everything below it.
func blockOffsets(of indices: Indices, in shape: Shape, batchAxes: Int, op: String) -> (starts: [Int], block: Shape) {
    let depth = indices.shape.last, lead = batchAxes + depth
    precondition(
        indices.shape.rank >= batchAxes + 1 && lead <= shape.rank
            && indices.shape.dimensions.prefix(batchAxes) == shape.dimensions.prefix(batchAxes),
        "\(op): indices \(indices.shape) into shape \(shape) with \(batchAxes) batch axes")
    let strides = shape.contiguousStrides
    let rows = indices.shape.rows, batches = Shape(Array(shape.dimensions.prefix(batchAxes))).count
    let perBatch = batches == 0 ? 0 : rows / batches
    let batchStride = batches == 0 ? 0 : shape.count / batches
    let starts = (0..<rows).map { row in
        (0..<depth).reduce(row / max(perBatch, 1) * batchStride) { start, axis in
            let value = indices.values[row * depth + axis], extent = shape[batchAxes + axis]
            let index = value < 0 ? value + extent : value
            precondition((0..<extent).contains(index), "\(op): index \(value) of an axis of \(extent)")
            return start + index * strides[batchAxes + axis]
        }
    }
    return (starts, Shape(Array(shape.dimensions.dropFirst(lead))))
}
