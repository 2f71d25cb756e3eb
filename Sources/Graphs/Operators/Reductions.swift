import TensorCore

extension OperatorTable {
    static let reductions: [Operator] = [
        reduction("ReduceSum", .numbers, axesInput: 13) { try $0.sum($1, axes: $2, keep: $3) },
        reduction("ReduceMean", .numbers, axesInput: 18) { call, x, axes, keep in
            if x.type.isFloat { return try call.mean(x, axes: axes, keep: keep) }
            return try call.cast(call.mean(call.cast(x, to: .float64), axes: axes, keep: keep), to: x.type)
        },
        reduction("ReduceMax", .all, axesInput: 18, gradient: .yes) { try $0.reduce($1, .largest, axes: $2, keep: $3) },
        reduction("ReduceMin", .all, axesInput: 18, gradient: .yes) {
            try $0.reduce($1, .smallest, axes: $2, keep: $3)
        },
        reduction("ReduceProd", .numbers, axesInput: 18) { try $0.reduce($1, .product, axes: $2, keep: $3) },
        reduction("ReduceSumSquare", .numbers, axesInput: 18) { try $0.sum($0.squared($1), axes: $2, keep: $3) },
        reduction("ReduceL1", .numbers, axesInput: 18) { call, x, axes, keep in
            try call.sum(
                call.number(x, .magnitude, signed: { $0 < 0 ? 0 &- $0 : $0 }, unsigned: { $0 }), axes: axes, keep: keep)
        },
        reduction("ReduceL2", .numbers, axesInput: 18) { call, x, axes, keep in
            try call.inFloat(call.sum(call.squared(x), axes: axes, keep: keep)) { try call.squareRoot($0) }
        },
        reduction("ReduceLogSum", .numbers, axesInput: 18) { call, x, axes, keep in
            try call.inFloat(call.sum(x, axes: axes, keep: keep)) { try call.logarithm($0) }
        },
        reduction("ReduceLogSumExp", .numbers, axesInput: 18) { call, x, axes, keep in
            try call.inFloat(x) { try call.logSumExp($0, axes: axes, keep: keep) }
        },
        Operator("ArgMax", since: 13, "T", ["T": .numbers], gradient: .no) { call in
            [try call.positionOfBest { $0 > $1 }]
        },
        Operator("ArgMin", since: 13, "T", ["T": .numbers], gradient: .no) { call in
            [try call.positionOfBest { $0 < $1 }]
        },
        Operator("TopK", since: 11, "T K!", ["T": .numbers, "K": .int64], outputs: 1...2) { call in try call.topK() },
        Operator("CumSum", since: 14, "T A!", ["T": .numbers, "A": .indices]) { call in [try call.runningSum()] },
    ]

    /// A reduction: axes are an input from `axesInput` on, an attribute before.
    private static func reduction(
        _ name: String, _ types: TypeSet, axesInput: Int, gradient: Operator.Gradient = .yes,
        _ body: @escaping @Sendable (Call, GraphValue, [Int], Bool) throws -> GraphValue
    ) -> Operator {
        Operator(name, since: 13, "T A!?", ["T": types, "A": .int64], gradient: gradient, widens: true) { call in
            let x = try call.input(0), keep = try call.flag("keepdims", true)
            let given = call.version >= axesInput ? try call.integersIfPresent(1) : try call.ints("axes")
            let axes = try call.axes(given ?? [], rank: x.rank)
            if axes.isEmpty {
                // Of no axes: all of them, or with this flag none, where only the function of a single element is left.
                if try call.flag("noop_with_empty_axes") {
                    return [try body(call, call.unsqueezed(x, axis: x.rank), [x.rank], false)]
                }
                return [try body(call, x, Array(x.shape.indices), keep)]
            }
            return [try body(call, x, axes, keep)]
        }
    }
}

extension Call {
    func squared(_ x: GraphValue) throws -> GraphValue { try combine(x, x, floats: .product, signed: &*, unsigned: &*) }

    /// A function that exists in floats only, of a value that may be of integers.
    func inFloat(_ x: GraphValue, _ body: (GraphValue) throws -> GraphValue) throws -> GraphValue {
        x.type.isFloat ? try body(x) : try cast(body(cast(x, to: .float64)), to: x.type)
    }

    /// `log Σ exp(x)`, its range kept by the largest element.
    func logSumExp(_ x: GraphValue, axes: [Int], keep: Bool) throws -> GraphValue {
        // Where the largest is infinite there is nothing to shift by.
        let largest = try largest(x.detached, axes: axes, keep: true)
        let finite = try map(largest, .step { $0.isFinite ? $0 : 0 })
        let sum = try logarithm(sum(exponential(subtract(x, finite)), axes: axes, keep: keep))
        return try add(sum, reshape(finite, sum.shape))
    }

    fileprivate func positionOfBest(_ better: (Double, Double) -> Bool) throws -> GraphValue {
        let x = try input(0)
        let axis = try axis(int("axis", 0), rank: x.rank), keep = try flag("keepdims", true),
            last = try flag("select_last_index")
        var shape = x.shape
        if keep { shape[axis] = 1 } else { shape.remove(at: axis) }
        let count = try reserve(shape, .int64)
        if x.isAbsent { return .absent(.int64, shape) }
        let width = x.shape[axis]
        try require(
            width > 0 || count == 0, .shapeMismatch,
            "axis \(axis) of shape \(text(x.shape)) is empty: it has no best element")
        let sorted = try withLastDetached(x, axis: axis)
        let order = RowOrder(sorted, call: self)
        var result: [Int64] = []
        for row in 0..<count {
            var best = row * width
            for i in best..<best + width where order.better(i, best, better) || (last && order.equal(i, best)) {
                best = i
            }
            result.append(Int64(best - row * width))
        }
        // The axis was moved to the end: rows are in the order of the other axes.
        return GraphValue(.int64, shape, .signed(result))
    }

    /// Without history, `axis` moved to the end and the others in their order.
    fileprivate func withLastDetached(_ x: GraphValue, axis: Int) throws -> GraphValue {
        try permute(x.detached, x.shape.indices.filter { $0 != axis } + [axis])
    }

    fileprivate func topK() throws -> [GraphValue] {
        let x = try input(0)
        let k = try single(integers(1), "K"), axis = try lastAxis(x), largest = try flag("largest", true)
        let width = x.shape[axis]
        try require(
            k >= 0 && k <= width, .badValue, "K is \(k) for an axis of \(width) elements (shape \(text(x.shape)))")
        var shape = x.shape
        shape[axis] = k
        try reserve(shape, .int64)
        if x.isAbsent { return [.absent(x.type, shape), .absent(.int64, shape)] }
        let order = RowOrder(try withLastDetached(x, axis: axis), call: self)
        let rows = width == 0 ? 0 : x.count / width
        var positions: [Int64] = []
        for row in 0..<rows {
            let start = row * width
            let ranked = (start..<start + width).sorted { a, b in
                if order.equal(a, b) { return a < b }
                return largest ? order.better(a, b, >) : order.better(a, b, <)
            }
            positions += ranked.prefix(k).map { Int64($0 - start) }
        }
        let others = x.shape.indices.filter { $0 != axis }
        let moved = GraphValue(.int64, others.map { x.shape[$0] } + [k], .signed(positions))
        var back = [Int](repeating: 0, count: x.rank)
        for (position, original) in (others + [axis]).enumerated() { back[original] = position }
        let indices = try permute(moved, back)
        return [try gatherElements(x, indices, axis: axis), indices]
    }

    /// Running sums along an axis.
    fileprivate func runningSum() throws -> GraphValue {
        let x = try input(0)
        let axis = try axis(single(integers(1), "axis"), rank: x.rank)
        let exclusive = try flag("exclusive"), reverse = try flag("reverse")
        try reserve(x.shape, x.type)
        let width = x.shape[axis]
        if x.isAbsent || x.count == 0 { return x }
        return try withLast(x, axis: axis) { x in
            let order = (0..<width).map { reverse ? width - 1 - $0 : $0 }
            switch x.content {
            case .float(let tensor):
                return GraphValue(CumulativeSum(tensor.rank - 1, exclusive: exclusive, reversed: reverse)(tensor))
            case .real(let values):
                return GraphValue(
                    x.type, x.shape, .real(x.type.narrowed(Self.scan(values, width, order, exclusive, zero: 0, +))))
            case .signed(let values):
                let sums = Self.scan(values, width, order, exclusive, zero: 0, &+)
                return GraphValue(x.type, x.shape, .signed(sums.map { x.type.wrap($0) }))
            case .unsigned(let values):
                let sums = Self.scan(values, width, order, exclusive, zero: 0, &+)
                return GraphValue(x.type, x.shape, .unsigned(sums.map { x.type.wrap($0) }))
            default: return x
            }
        }
    }

    private static func scan<T>(
        _ values: [T], _ width: Int, _ order: [Int], _ exclusive: Bool, zero: T, _ join: (T, T) -> T
    ) -> [T] {
        var result = values
        for start in stride(from: 0, to: values.count, by: width) {
            var running = zero
            for i in order {
                let next = join(running, values[start + i])
                result[start + i] = exclusive ? running : next
                running = next
            }
        }
        return result
    }
}

/// Compares elements of one value by position. NaN counts as larger than every number.
struct RowOrder {
    private let reals: [Double]
    private let signed: [Int64]
    private let unsigned: [UInt64]
    private let kind: Int

    init(_ value: GraphValue, call: Call) {
        switch value.content {
        case .float(let tensor): (reals, signed, unsigned, kind) = (tensor.values.map { Double($0) }, [], [], 0)
        case .real(let values): (reals, signed, unsigned, kind) = (values, [], [], 0)
        case .signed(let values): (reals, signed, unsigned, kind) = ([], values, [], 1)
        case .unsigned(let values): (reals, signed, unsigned, kind) = ([], [], values, 2)
        default: (reals, signed, unsigned, kind) = ([], [], [], 0)
        }
    }

    func equal(_ a: Int, _ b: Int) -> Bool {
        switch kind {
        case 0: reals[a] == reals[b] || (reals[a].isNaN && reals[b].isNaN)
        case 1: signed[a] == signed[b]
        default: unsigned[a] == unsigned[b]
        }
    }

    /// `body(1, 0)` says whether larger is better.
    func better(_ a: Int, _ b: Int, _ body: (Double, Double) -> Bool) -> Bool {
        let largerIsBetter = body(1, 0)
        func larger(_ a: Int, _ b: Int) -> Bool {
            switch kind {
            case 0: reals[a].isNaN ? !reals[b].isNaN : reals[a] > reals[b]
            case 1: signed[a] > signed[b]
            default: unsigned[a] > unsigned[b]
            }
        }
        return largerIsBetter ? larger(a, b) : larger(b, a)
    }
}
