/// A multi-dimensional array of floats: a value over shared, reference-counted storage. Not `Sendable`: a tensor stays with the
/// thread that computes on it.
///
/// Views (transposes, slices) share storage through strides; kernels ask for `contiguous()`.
package struct Tensor {
    package let shape: Shape
    /// nil: row-major without gaps.
    private let ownStrides: [Int]?
    package let storage: Storage
    package let offset: Int
    /// Where this value came from, when a gradient may be asked for; nil for constants.
    package internal(set) var node: TapeNode?

    package init(storage: Storage, shape: Shape, strides: [Int]? = nil, offset: Int = 0) {
        self.storage = storage
        self.shape = shape
        ownStrides = strides
        self.offset = offset
    }

    /// Contents are arbitrary until written.
    package init(uninitialised shape: Shape) {
        self.init(storage: Storage(count: shape.count), shape: shape)
    }

    package init(repeating value: Float, _ shape: Shape) {
        self.init(uninitialised: shape)
        mutablePointer.update(repeating: value, count: count)
    }

    package init(_ values: [Float], _ shape: Shape) {
        precondition(values.count == shape.count, "Tensor: \(values.count) values for shape \(shape)")
        self.init(uninitialised: shape)
        values.withUnsafeBufferPointer { buffer in
            if let base = buffer.baseAddress { mutablePointer.update(from: base, count: buffer.count) }
        }
    }

    package init(scalar: Float) { self.init(repeating: scalar, []) }

    /// Distance between neighbours along each axis, in elements.
    package var strides: [Int] { ownStrides ?? shape.contiguousStrides }
    /// The same for one axis, without making an array.
    package func step(along axis: Int) -> Int { ownStrides?[axis] ?? shape.contiguousStride(axis) }

    package var count: Int { shape.count }
    package var rank: Int { shape.rank }
    package var isTracked: Bool { node != nil }

    package var isContiguous: Bool {
        guard let strides = ownStrides else { return true }
        var expected = 1
        for axis in stride(from: rank - 1, through: 0, by: -1) where shape[axis] != 1 {
            if strides[axis] != expected { return false }
            expected *= shape[axis]
        }
        return true
    }

    /// First element. Meaningful with `strides`; row-major without gaps only when `isContiguous`.
    package var pointer: UnsafePointer<Float> { UnsafePointer(storage.pointer + offset) }
    package var mutablePointer: UnsafeMutablePointer<Float> { storage.pointer + offset }

    /// The only element of a tensor with one element.
    package var scalar: Float {
        precondition(count == 1, "scalar: shape \(shape) has \(count) elements")
        return pointer[0]
    }

    /// The elements in row-major order.
    package var values: [Float] {
        let dense = contiguous()
        return Array(UnsafeBufferPointer(start: dense.pointer, count: count))
    }

    /// Row-major without gaps, copied only when needed. The tape position is kept: the value is the same.
    package func contiguous() -> Tensor {
        if isContiguous { return self }
        var dense = Tensor(uninitialised: shape)
        copy(detached, to: dense)
        dense.node = node
        return dense
    }

    /// The same values without their history.
    package var detached: Tensor {
        var copy = self
        copy.node = nil
        return copy
    }

    /// A leaf whose gradient can be asked for.
    package var tracked: Tensor {
        var copy = self
        copy.node = TapeNode(leaf: shape)
        return copy
    }
}

// MARK: Views. They share storage and carry no history; the ops of the same names do.

extension Tensor {
    /// Columns `range` of the last axis.
    package func columns(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape.last, "columns: \(range) of shape \(shape)")
        var dimensions = shape.dimensions
        dimensions[rank - 1] = range.count
        return Tensor(
            storage: storage, shape: Shape(dimensions), strides: strides,
            offset: offset + range.lowerBound * strides[rank - 1])
    }

    /// Entries `range` of the first axis.
    package func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "rows: \(range) of shape \(shape)")
        var dimensions = shape.dimensions
        dimensions[0] = range.count
        return Tensor(
            storage: storage, shape: Shape(dimensions), strides: ownStrides,
            offset: offset + range.lowerBound * step(along: 0)
        )
    }

    /// Axes reordered: axis `i` of the view is axis `order[i]` of this tensor.
    package func permutedView(_ order: [Int]) -> Tensor {
        precondition(order.sorted() == Array(0..<rank), "permute: \(order) for shape \(shape)")
        return Tensor(
            storage: storage, shape: Shape(order.map { shape[$0] }), strides: order.map { strides[$0] }, offset: offset)
    }

    /// The same elements under another shape.
    package func reshapedView(_ shape: Shape) -> Tensor {
        precondition(shape.count == count, "reshape: \(self.shape) to \(shape)")
        let dense = contiguous()
        return Tensor(storage: dense.storage, shape: shape, offset: dense.offset)
    }

    /// Stretched to `shape` by strides of zero (NumPy's broadcasting).
    package func expandedView(_ shape: Shape) -> Tensor {
        let lead = shape.rank - rank
        precondition(lead >= 0 && self.shape.broadcast(with: shape) == shape, "expand: \(self.shape) to \(shape)")
        let strides = (0..<shape.rank).map { axis in
            axis < lead || (self.shape[axis - lead] == 1 && shape[axis] != 1) ? 0 : self.strides[axis - lead]
        }
        return Tensor(storage: storage, shape: shape, strides: strides, offset: offset)
    }
}
