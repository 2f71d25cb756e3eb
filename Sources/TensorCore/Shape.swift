/// The extent of a tensor along each axis, outermost first. `[]` is a scalar. Up to six axes take no memory of their own: shapes are
/// made with every tensor.
package struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    private static let inlineRank = 6
    package let rank: Int
    /// Ones past `rank`.
    private var inline: InlineArray<6, Int>
    /// All of them, when there are more than six.
    private let many: [Int]?

    package init(_ dimensions: some Collection<Int>) {
        rank = dimensions.count
        inline = InlineArray(repeating: 1)
        if rank > Self.inlineRank {
            many = Array(dimensions)
        } else {
            many = nil
            var axis = 0
            for extent in dimensions {
                inline[axis] = extent
                axis += 1
            }
        }
        precondition(dimensions.allSatisfy { $0 >= 0 }, "shape \(Array(dimensions)) has a negative dimension")
    }

    package init(arrayLiteral elements: Int...) { self.init(elements) }

    /// An array of them; it is made anew each time.
    package var dimensions: [Int] { many ?? (0..<rank).map { inline[$0] } }

    package var count: Int {
        if let many { return many.reduce(1, *) }
        var product = 1
        for axis in 0..<rank { product *= inline[axis] }
        return product
    }

    package subscript(axis: Int) -> Int {
        let index = axis < 0 ? rank + axis : axis
        precondition(index >= 0 && index < rank, "axis \(axis) of shape \(self)")
        return many?[index] ?? inline[index]
    }

    /// Extent of the last axis; 1 for a scalar.
    package var last: Int { rank == 0 ? 1 : self[rank - 1] }
    /// Product of all axes but the last: the number of rows.
    package var rows: Int {
        var product = 1
        for axis in 0..<max(rank - 1, 0) { product *= self[axis] }
        return product
    }

    /// The same axes but for the last, which becomes `extent`. Not for scalars.
    package func replacingLast(_ extent: Int) -> Shape {
        precondition(rank > 0 && extent >= 0, "shape \(self) with a last axis of \(extent)")
        if let many { return Shape(many.dropLast() + [extent]) }
        var copy = self
        copy.inline[rank - 1] = extent
        return copy
    }

    /// Strides of a row-major layout without gaps, in elements.
    package var contiguousStrides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) { strides[axis] = strides[axis + 1] * self[axis + 1] }
        return strides
    }

    /// The stride of one axis in that layout.
    func contiguousStride(_ axis: Int) -> Int {
        precondition(axis >= 0 && axis < rank, "axis \(axis) of shape \(self)")
        var product = 1
        for inner in axis + 1..<rank { product *= self[inner] }
        return product
    }

    /// The shape both operands are stretched to, aligned at the last axis (NumPy's rule); nil when they do not fit.
    package func broadcast(with other: Shape) -> Shape? {
        if self == other { return self }
        let rank = max(rank, other.rank)
        var result = [Int](repeating: 1, count: rank)
        for axis in 0..<rank {
            let a = axis < rank - self.rank ? 1 : self[axis - (rank - self.rank)]
            let b = axis < rank - other.rank ? 1 : other[axis - (rank - other.rank)]
            guard a == b || a == 1 || b == 1 else { return nil }
            result[axis] = a == 1 ? b : a
        }
        return Shape(result)
    }

    package static func == (a: Shape, b: Shape) -> Bool {
        if a.rank != b.rank || a.many != b.many { return false }
        for axis in 0..<inlineRank where a.inline[axis] != b.inline[axis] { return false }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        for axis in 0..<rank { hasher.combine(self[axis]) }
    }

    package var description: String { "\(dimensions)" }
}
