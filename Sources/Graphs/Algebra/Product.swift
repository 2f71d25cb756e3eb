import TensorCore

extension Call {
    /// NumPy's matmul: vectors are rows or columns, leading axes are broadcast.
    func matmul(_ a: GraphValue, _ b: GraphValue) throws -> GraphValue {
        try require(
            a.rank >= 1 && b.rank >= 1, .shapeMismatch,
            "shapes \(text(a.shape)) and \(text(b.shape)): a scalar has no matrix product")
        let left = a.rank == 1 ? a.reshaped([1] + a.shape) : a
        let right = b.rank == 1 ? b.reshaped(b.shape + [1]) : b
        let m = left.shape[left.rank - 2], k = left.shape[left.rank - 1], n = right.shape[right.rank - 1]
        guard k == right.shape[right.rank - 2] else {
            throw error(
                .shapeMismatch,
                "shapes \(text(a.shape)) and \(text(b.shape)) do not fit: the inner extents \(k) and \(right.shape[right.rank - 2]) differ"
            )
        }
        let lead = try broadcast([Array(left.shape.dropLast(2)), Array(right.shape.dropLast(2))])
        let shape = lead + (a.rank == 1 ? [] : [m]) + (b.rank == 1 ? [] : [n])
        let count = try reserve(shape, a.type)
        if a.isAbsent || b.isAbsent { return .absent(a.type, shape) }
        if count == 0 || k == 0 { return try filled(a.type, shape, 0) }
        if let x = a.tensor, let y = b.tensor { return GraphValue(MatrixProduct()(x, y)) }
        if right.rank == 2 {
            // One product of all rows.
            return try stacked(left.reshaped([left.count / k, k]), right).reshaped(shape)
        }
        let x = try expand(left, lead + [m, k]), y = try expand(right, lead + [k, n])
        let stack = lead.reduce(1, *)
        return try stacked(x.reshaped([stack, m, k]), y.reshaped([stack, k, n])).reshaped(shape)
    }

    /// `[…, m, k] · […, k, n]` with equal leading axes, none of them empty.
    func stacked(_ a: GraphValue, _ b: GraphValue) throws -> GraphValue {
        let m = a.shape[a.rank - 2], k = a.shape[a.rank - 1], n = b.shape[b.rank - 1]
        let lead = Array(a.shape.dropLast(2)), stack = lead.reduce(1, *), shape = lead + [m, n]
        try reserve(shape, a.type)
        switch (a.content, b.content) {
        case (.float(let x), .float(let y)): return GraphValue(MatrixProduct()(x, y))
        case (.real(let x), .real(let y)):
            return GraphValue(a.type, shape, .real(a.type.narrowed(Self.products(x, y, stack, m, k, n, zero: 0, +, *))))
        case (.signed(let x), .signed(let y)):
            return GraphValue(
                a.type, shape, .signed(Self.products(x, y, stack, m, k, n, zero: 0, &+, &*).map { a.type.wrap($0) }))
        case (.unsigned(let x), .unsigned(let y)):
            return GraphValue(
                a.type, shape, .unsigned(Self.products(x, y, stack, m, k, n, zero: 0, &+, &*).map { a.type.wrap($0) }))
        default:
            throw error(.typeMismatch, "\(a.type.rawValue) by \(b.type.rawValue): there is no matrix product of these")
        }
    }

    @inline(__always)
    private static func products<T>(
        _ a: [T], _ b: [T], _ stack: Int, _ m: Int, _ k: Int, _ n: Int, zero: T, _ add: (T, T) -> T,
        _ multiply: (T, T) -> T
    ) -> [T] {
        var result = [T](repeating: zero, count: stack * m * n)
        for s in 0..<stack {
            for i in 0..<m {
                let row = (s * m + i) * n
                for p in 0..<k {
                    let factor = a[(s * m + i) * k + p], line = (s * k + p) * n
                    for j in 0..<n { result[row + j] = add(result[row + j], multiply(factor, b[line + j])) }
                }
            }
        }
        return result
    }
}
