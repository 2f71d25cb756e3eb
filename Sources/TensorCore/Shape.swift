/// The extent of a tensor along each axis, outermost first. `[]` is a scalar.
package struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    package let dimensions: [Int]

    package init(_ dimensions: [Int]) {
        precondition(dimensions.allSatisfy { $0 >= 0 }, "shape \(dimensions) has a negative dimension")
        self.dimensions = dimensions
    }

    package init(arrayLiteral elements: Int...) { self.init(elements) }

    package var rank: Int { dimensions.count }
    package var count: Int { dimensions.reduce(1, *) }
    package subscript(axis: Int) -> Int { dimensions[axis < 0 ? rank + axis : axis] }

    /// Extent of the last axis; 1 for a scalar.
    package var last: Int { dimensions.last ?? 1 }
    /// Product of all axes but the last: the number of rows.
    package var rows: Int { dimensions.dropLast().reduce(1, *) }

    /// Strides of a row-major layout without gaps, in elements.
    package var contiguousStrides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * dimensions[axis + 1]
        }
        return strides
    }

    /// The shape both operands are stretched to, aligned at the last axis (NumPy's rule); nil when they do not fit.
    package func broadcast(with other: Shape) -> Shape? {
        let rank = max(rank, other.rank)
        var result = [Int](repeating: 1, count: rank)
        for axis in 0..<rank {
            let a = axis < rank - self.rank ? 1 : dimensions[axis - (rank - self.rank)]
            let b = axis < rank - other.rank ? 1 : other.dimensions[axis - (rank - other.rank)]
            guard a == b || a == 1 || b == 1 else { return nil }
            result[axis] = a == 1 ? b : a
        }
        return Shape(result)
    }

    package var description: String { "\(dimensions)" }
}
