/// What happens where a scatter writes.
package enum ScatterMode: Sendable {
    /// The written value is added.
    case add
    /// The written value takes the place of the old one; of several written to one place the last stays.
    case set
}

/// x with `src` written at `index` along one axis: `x[index[i, j, k], j, k] ← src[i, j, k]` along axis 0, and so on.
/// Inputs: x, src (at least of the indices' shape along each axis).
package struct Scatter: DifferentiableOp {
    package static let name = "scatter"
    package let axis: Int
    package let indices: Indices
    package let mode: ScatterMode

    package init(axis: Int, _ indices: Indices, mode: ScatterMode) {
        self.axis = axis
        self.indices = indices
        self.mode = mode
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let places = offsets(of: indices, along: axis, in: inputs[0].shape, op: Self.name)
        let source = used(inputs[1]).contiguous()
        return (written(inputs[0], places, 1, source, mode), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let places = offsets(of: indices, along: axis, in: inputs[0].shape, op: Self.name)
        var dsource: Tensor?
        if needs[1] {
            let whole = Tensor(repeating: 0, inputs[1].shape)
            copy(read(gradient, places, 1, indices.shape, mode), to: used(whole))
            dsource = whole
        }
        return [needs[0] ? survivors(gradient, places, 1, mode) : nil, dsource]
    }

    /// The part of `src` that has indices.
    private func used(_ source: Tensor) -> Tensor {
        precondition(
            source.rank == indices.shape.rank
                && (0..<source.rank).allSatisfy { indices.shape[$0] <= source.shape[$0] },
            "scatter: source \(source.shape) for indices \(indices.shape)")
        return (0..<source.rank).reduce(source) { $0.slicedView(AxisSlice(axis: $1, 0, indices.shape[$1])) }
    }
}

/// x with blocks of `src` written at the places that the rows of `indices` `[…, depth]` name (ONNX ScatterND).
/// Inputs: x, src (`[…]` followed by the block's shape).
package struct ScatterBlocks: DifferentiableOp {
    package static let name = "scatter_nd"
    package let indices: Indices
    package let mode: ScatterMode

    package init(_ indices: Indices, mode: ScatterMode) {
        self.indices = indices
        self.mode = mode
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let (starts, block) = blockOffsets(of: indices, in: inputs[0].shape, batchAxes: 0, op: Self.name)
        let expected = Shape(indices.shape.dimensions.dropLast() + block.dimensions)
        precondition(inputs[1].shape == expected, "scatter_nd: source \(inputs[1].shape), expected \(expected)")
        return (written(inputs[0], starts, block.count, inputs[1].contiguous(), mode), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let (starts, block) = blockOffsets(of: indices, in: inputs[0].shape, batchAxes: 0, op: Self.name)
        return [
            needs[0] ? survivors(gradient, starts, block.count, mode) : nil,
            needs[1] ? read(gradient, starts, block.count, inputs[1].shape, mode) : nil,
        ]
    }
}

/// x with blocks of `length` of the source written one after the other at `starts`.
private func written(_ x: Tensor, _ starts: [Int], _ length: Int, _ source: Tensor, _ mode: ScatterMode) -> Tensor {
    let output = Tensor(uninitialised: x.shape)
    copy(x, to: output)
    for (row, start) in starts.enumerated() {
        let from = source.pointer + row * length, to = output.mutablePointer + start
        switch mode {
        case .add: for i in 0..<length { to[i] += from[i] }
        case .set: to.update(from: from, count: length)
        }
    }
    return output
}

/// The gradient of x: that of the output, without the places that were overwritten.
private func survivors(_ gradient: Tensor, _ starts: [Int], _ length: Int, _ mode: ScatterMode) -> Tensor {
    if mode == .add { return gradient }
    let dx = Tensor(uninitialised: gradient.shape)
    copy(gradient, to: dx)
    for start in starts { dx.mutablePointer.advanced(by: start).update(repeating: 0, count: length) }
    return dx
}

/// The gradient of the source: that of the output where it was written. Blocks are whole, so that two either share a place
/// entirely or not at all; only the last written one counts when values were set.
private func read(_ gradient: Tensor, _ starts: [Int], _ length: Int, _ shape: Shape, _ mode: ScatterMode) -> Tensor {
    let dsource = Tensor(repeating: 0, shape)
    var seen: Set<Int> = []
    for (row, start) in starts.enumerated().reversed() where mode == .add || seen.insert(start).inserted {
        dsource.mutablePointer.advanced(by: row * length).update(from: gradient.pointer + start, count: length)
    }
    return dsource
}
