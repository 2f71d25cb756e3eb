import TensorCore

/// Visits the elements of `shape` in row-major order with the offsets of several operands stretched to it.
struct Walk {
    let shape: [Int]
    /// Strides of each operand for each axis; 0 where it is stretched.
    let strides: [[Int]]

    /// Operands of the given shapes, each broadcast to `shape`.
    init(_ shape: [Int], broadcasting operands: [[Int]]) {
        self.shape = shape
        strides = operands.map { operand in
            let lead = shape.count - operand.count
            let own = rowStrides(operand)
            return shape.indices.map { $0 < lead || operand[$0 - lead] == 1 ? 0 : own[$0 - lead] }
        }
    }

    init(_ shape: [Int], strides: [[Int]]) {
        self.shape = shape
        self.strides = strides
    }

    /// `body(a, b)`: offsets of the first two operands (the second 0 when there is one).
    @inline(__always)
    func forEach(from start: (Int, Int) = (0, 0), _ body: (Int, Int) throws -> Void) rethrows {
        if shape.contains(0) { return }
        let rank = shape.count, none = [Int](repeating: 0, count: rank)
        let first = strides[0], second = strides.count > 1 ? strides[1] : none
        let inner = rank == 0 ? 1 : shape[rank - 1]
        let a1 = rank == 0 ? 0 : first[rank - 1], b1 = rank == 0 ? 0 : second[rank - 1]
        var index = none, a = start.0, b = start.1
        while true {
            for i in 0..<inner { try body(a + i * a1, b + i * b1) }
            var axis = rank - 2
            while axis >= 0 {
                index[axis] += 1
                a += first[axis]
                b += second[axis]
                if index[axis] < shape[axis] { break }
                a -= first[axis] * shape[axis]
                b -= second[axis] * shape[axis]
                index[axis] = 0
                axis -= 1
            }
            if axis < 0 { return }
        }
    }

    /// Offsets of the first operand, in order.
    func offsets(count: Int, from start: Int = 0) -> [Int32] {
        var offsets: [Int32] = []
        offsets.reserveCapacity(count)
        forEach(from: (start, 0)) { a, _ in offsets.append(Int32(truncatingIfNeeded: a)) }
        return offsets
    }
}

/// Strides of a row-major layout. Extents are checked before: their product fits.
func rowStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in stride(from: shape.count - 2, through: 0, by: -1) {
        strides[axis] = strides[axis + 1] &* max(shape[axis + 1], 1)
    }
    return strides
}

extension Call {
    /// The shape that values of all these shapes are stretched to.
    func broadcast(_ shapes: [[Int]]) throws -> [Int] {
        var result = shapes.first ?? []
        for shape in shapes.dropFirst() {
            guard let joined = broadcastShape(result, shape) else {
                throw error(
                    .shapeMismatch,
                    "shapes \(shapes.map(text).joined(separator: " and ")) do not fit each other: axes from the last must be equal or 1"
                )
            }
            result = joined
        }
        return result
    }
}

func broadcastShape(_ a: [Int], _ b: [Int]) -> [Int]? {
    let rank = max(a.count, b.count)
    var result = [Int](repeating: 1, count: rank)
    for axis in 0..<rank {
        let x = axis < rank - a.count ? 1 : a[axis - (rank - a.count)]
        let y = axis < rank - b.count ? 1 : b[axis - (rank - b.count)]
        guard x == y || x == 1 || y == 1 else { return nil }
        result[axis] = x == 1 ? y : x
    }
    return result
}

/// `body` of each pair of elements of two arrays stretched to `shape`.
@inline(__always)
func pairs<A, B, R>(
    _ a: [A], _ aShape: [Int], _ b: [B], _ bShape: [Int], _ shape: [Int], count: Int, _ body: (A, B) throws -> R
) rethrows -> [R] {
    var result: [R] = []
    result.reserveCapacity(count)
    if aShape == bShape {
        for i in 0..<count { result.append(try body(a[i], b[i])) }
    } else {
        try Walk(shape, broadcasting: [aShape, bShape]).forEach { result.append(try body(a[$0], b[$1])) }
    }
    return result
}
