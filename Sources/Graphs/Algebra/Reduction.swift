import TensorCore

enum ReductionKind {
    case sum, product, largest, smallest
}

/// Rows `[rows, width]` → `[rows]`: sum, product, largest or smallest of each row.
struct RowReduction: DifferentiableOp {
    static let name = "graph_row_reduction"
    let kind: ReductionKind

    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), rows = x.shape[0], width = x.shape[1], y = Tensor(uninitialised: [rows])
        for row in 0..<rows {
            let values = UnsafeBufferPointer(start: x.pointer + row * width, count: width)
            y.mutablePointer[row] = Float(kind.reduce(values))
        }
        return (y, [y])
    }

    /// Sum: dy everywhere. Product: dy times the product of the others. Largest and smallest: dy shared between equals.
    func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = inputs[0].contiguous(), rows = x.shape[0], width = x.shape[1], dx = Tensor(uninitialised: x.shape)
        for row in 0..<rows {
            let dy = gradient.contiguous().pointer[row], values = x.pointer + row * width
            let target = dx.mutablePointer + row * width
            switch kind {
            case .sum: for i in 0..<width { target[i] = dy }
            case .product:
                var before: Float = 1
                for i in 0..<width {
                    target[i] = before
                    before *= values[i]
                }
                var after = dy
                for i in stride(from: width - 1, through: 0, by: -1) {
                    target[i] *= after
                    after *= values[i]
                }
            case .largest, .smallest:
                let best = saved[0].pointer[row]
                var equals: Float = 0
                for i in 0..<width where values[i] == best { equals += 1 }
                for i in 0..<width { target[i] = values[i] == best ? dy / equals : 0 }
            }
        }
        return [dx]
    }
}

extension ReductionKind {
    /// NaN wins; nothing reduces to 0, 1, −∞ or ∞.
    func reduce<T: BinaryFloatingPoint>(_ values: UnsafeBufferPointer<T>) -> Double {
        switch self {
        case .sum: return values.reduce(0) { $0 + Double($1) }
        case .product: return values.reduce(1) { $0 * Double($1) }
        case .largest:
            var best = -Double.infinity
            for value in values {
                if Double(value) > best || value.isNaN { best = Double(value); if value.isNaN { break } }
            }
            return best
        case .smallest:
            var best = Double.infinity
            for value in values {
                if Double(value) < best || value.isNaN { best = Double(value); if value.isNaN { break } }
            }
            return best
        }
    }

    func reduce<T: FixedWidthInteger>(_ values: ArraySlice<T>, empty: T) -> T {
        switch self {
        case .sum: values.reduce(0, &+)
        case .product: values.reduce(1, &*)
        case .largest: values.max() ?? empty
        case .smallest: values.min() ?? empty
        }
    }
}

extension Call {
    /// `kind` over `axes` (positive, each once); with `keep` they stay as extents of 1.
    func reduce(_ x: GraphValue, _ kind: ReductionKind, axes: [Int], keep: Bool) throws -> GraphValue {
        let kept = x.shape.indices.filter { !axes.contains($0) }
        let result = keep ? x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] } : kept.map { x.shape[$0] }
        let rows = try reserve(kept.map { x.shape[$0] }, x.type)
        if x.isAbsent { return .absent(x.type, result) }
        let width = axes.reduce(1) { $0 * x.shape[$1] }
        if let tensor = x.tensor, rows > 0, width > 0, !axes.isEmpty {
            switch kind {
            case .sum: return GraphValue(Sum(axes, keepingAxes: keep)(tensor))
            case .largest: return GraphValue(Largest(axes, keepingAxes: keep)(tensor))
            case .smallest: return GraphValue(Smallest(axes, keepingAxes: keep)(tensor))
            case .product: break
            }
        }
        let table = try reshape(permute(x, kept + axes.sorted()), [rows, width])
        switch table.content {
        case .float(let tensor):
            return try reshape(GraphValue(RowReduction(kind: kind)(tensor)), result)
        case .real(let values):
            let reduced = values.withUnsafeBufferPointer { values in
                (0..<rows).map { kind.reduce(UnsafeBufferPointer(rebasing: values[$0 * width..<($0 + 1) * width])) }
            }
            return GraphValue(x.type, result, .real(x.type.narrowed(reduced)))
        case .signed(let values):
            let empty = kind == .largest ? x.type.smallestSigned : x.type.largestSigned
            return GraphValue(
                x.type, result,
                .signed(
                    (0..<rows).map { x.type.wrap(kind.reduce(values[$0 * width..<($0 + 1) * width], empty: empty)) }))
        case .unsigned(let values):
            let empty = kind == .largest ? 0 : x.type.wrap(UInt64.max)
            return GraphValue(
                x.type, result,
                .unsigned(
                    (0..<rows).map { x.type.wrap(kind.reduce(values[$0 * width..<($0 + 1) * width], empty: empty)) }))
        case .truth(let values):
            // Any and all: the largest and smallest of false and true.
            return GraphValue(
                x.type, result,
                .truth(
                    (0..<rows).map { row in
                        let part = values[row * width..<(row + 1) * width]
                        return kind == .largest ? part.contains(true) : !part.contains(false)
                    }))
        case .absent, .shapeless: return .absent(x.type, result)
        }
    }

    func sum(_ x: GraphValue, axes: [Int], keep: Bool) throws -> GraphValue {
        try reduce(x, .sum, axes: axes, keep: keep)
    }
    func largest(_ x: GraphValue, axes: [Int], keep: Bool) throws -> GraphValue {
        try reduce(x, .largest, axes: axes, keep: keep)
    }

    func mean(_ x: GraphValue, axes: [Int], keep: Bool) throws -> GraphValue {
        let width = axes.reduce(1) { $0 * x.shape[$1] }
        if let tensor = x.tensor, x.count > 0, !axes.isEmpty {
            return GraphValue(Mean(axes, keepingAxes: keep)(tensor))
        }
        return try divide(sum(x, axes: axes, keep: keep), scalar(Double(width), like: x))
    }
}

extension ElementType {
    var largestSigned: Int64 { Int64.max >> (64 - Int64(bits)) }
    var smallestSigned: Int64 { Int64.min >> (64 - Int64(bits)) }
}
