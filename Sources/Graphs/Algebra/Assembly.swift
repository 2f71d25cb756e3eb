import TensorCore

/// Output element `i` is element `map[i]` of the inputs laid end to end, or `fill` where the map says −1. Every operator that only
/// moves elements (slices, gathers, padding, tiling, concatenation) is one of these.
struct Assembly: DifferentiableOp {
    static let name = "graph_assembly"
    let map: [Int32]
    let shape: Shape
    let fill: Float

    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let source = joined(inputs), output = Tensor(uninitialised: shape), target = output.mutablePointer
        for (i, from) in map.enumerated() { target[i] = from < 0 ? fill : source.pointer[Int(from)] }
        return (output, [])
    }

    func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let total = inputs.reduce(0) { $0 + $1.count }
        let sum = Tensor(repeating: 0, [total]), dy = gradient.contiguous()
        for (i, from) in map.enumerated() where from >= 0 { sum.mutablePointer[Int(from)] += dy.pointer[i] }
        var start = 0
        return inputs.map { input in
            defer { start += input.count }
            return sum.rows(start..<start + input.count).reshapedView(input.shape)
        }
    }

    private func joined(_ inputs: [Tensor]) -> Tensor {
        if inputs.count == 1 { return inputs[0].contiguous() }
        let all = Tensor(uninitialised: [inputs.reduce(0) { $0 + $1.count }])
        var start = 0
        for input in inputs {
            all.mutablePointer.advanced(by: start).update(from: input.contiguous().pointer, count: input.count)
            start += input.count
        }
        return all
    }
}

/// `output[map[i]] += updates[i]` over zeros: the transpose of a selection.
struct ScatterSum: DifferentiableOp {
    static let name = "graph_scatter_sum"
    let map: [Int32]
    let shape: Shape

    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let updates = inputs[0].contiguous(), output = Tensor(repeating: 0, shape)
        for (i, to) in map.enumerated() where to >= 0 { output.mutablePointer[Int(to)] += updates.pointer[i] }
        return (output, [])
    }

    func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dy = gradient.contiguous(), dx = Tensor(uninitialised: inputs[0].shape)
        for (i, to) in map.enumerated() { dx.mutablePointer[i] = to < 0 ? 0 : dy.pointer[Int(to)] }
        return [dx]
    }
}

extension Call {
    /// A value of `shape` whose element `i` is element `map()[i]` of the sources laid end to end, or `fill` for −1.
    func assemble(
        _ sources: [GraphValue], _ shape: [Int], fill: Double = 0, map: () throws -> [Int32]
    ) throws -> GraphValue {
        let type = sources[0].type, count = try reserve(shape, type)
        let total = sources.reduce(0) { $0 + $1.count }
        try require(total < Int(Int32.max), .tooLarge, "\(total) elements to choose from; fewer than 2³¹ are allowed")
        try reserve(count + total, width: 8, shape)
        if sources.contains(where: \.isAbsent) { return .absent(type, shape) }
        let map = try map()
        // The last line of defence: the op writes through pointers.
        try require(
            map.count == count && map.allSatisfy { Int($0) < total }, .shapeMismatch,
            "inputs of shapes \(sources.map { text($0.shape) }.joined(separator: ", ")) do not fill \(text(shape))")
        switch sources[0].content {
        case .float:
            let tensors = sources.compactMap(\.tensor)
            return GraphValue(Assembly(map: map, shape: Shape(shape), fill: Float(fill)).apply(tensors))
        case .real:
            let all = sources.flatMap { value -> [Double] in
                if case .real(let values) = value.content { values } else { [] }
            }
            return GraphValue(type, shape, .real(map.map { $0 < 0 ? fill : all[Int($0)] }))
        case .signed:
            let all = sources.flatMap { value -> [Int64] in
                if case .signed(let values) = value.content { values } else { [] }
            }
            let fill = Int64(exactly: fill) ?? (fill < 0 ? .min : .max)
            return GraphValue(type, shape, .signed(map.map { $0 < 0 ? type.wrap(fill) : all[Int($0)] }))
        case .unsigned:
            let all = sources.flatMap { value -> [UInt64] in
                if case .unsigned(let values) = value.content { values } else { [] }
            }
            let fill = UInt64(exactly: fill) ?? (fill < 0 ? 0 : .max)
            return GraphValue(type, shape, .unsigned(map.map { $0 < 0 ? type.wrap(fill) : all[Int($0)] }))
        case .truth:
            let all = sources.flatMap { value -> [Bool] in
                if case .truth(let values) = value.content { values } else { [] }
            }
            return GraphValue(type, shape, .truth(map.map { $0 < 0 ? fill != 0 : all[Int($0)] }))
        case .absent, .shapeless: return .absent(type, shape)
        }
    }

    /// Elements of one value, by their positions.
    func select(_ x: GraphValue, _ shape: [Int], fill: Double = 0, map: () throws -> [Int32]) throws -> GraphValue {
        try assemble([x], shape, fill: fill, map: map)
    }

    /// A strided window of `x`: element `index` is at `start + Σ index · stride` of its row-major elements.
    func view(_ x: GraphValue, _ shape: [Int], start: Int = 0, strides: [Int]) throws -> GraphValue {
        try select(x, shape) { Walk(shape, strides: [strides]).offsets(count: try checkedCount(shape), from: start) }
    }

    /// Sums the updates into zeros of `shape` at the positions of `map`; −1 drops one. float32 and float64.
    func scatterSum(_ updates: GraphValue, _ shape: [Int], map: () throws -> [Int32]) throws -> GraphValue {
        let count = try reserve(shape, updates.type)
        try reserve(updates.count, width: 4, updates.shape)
        switch updates.content {
        case .float(let tensor):
            let map = try map()
            try require(
                map.count == updates.count && map.allSatisfy { Int($0) < count }, .shapeMismatch,
                "updates of shape \(text(updates.shape)) do not fit \(text(shape))")
            return GraphValue(ScatterSum(map: map, shape: Shape(shape))(tensor))
        case .real(let values):
            var sums = [Double](repeating: 0, count: count)
            for (value, to) in zip(values, try map()) where to >= 0 { sums[Int(to)] += value }
            return GraphValue(updates.type, shape, .real(updates.type.narrowed(sums)))
        case .absent: return .absent(updates.type, shape)
        default: throw error(.typeMismatch, "\(updates.type.rawValue) is not a float type")
        }
    }

    /// Stretched to `shape`, which it must fit.
    func expand(_ x: GraphValue, _ shape: [Int]) throws -> GraphValue {
        if x.shape == shape { return x }
        if let tensor = x.tensor {
            try reserve(shape, x.type)
            return GraphValue(Expand(Shape(shape))(tensor))
        }
        return try select(x, shape) { Walk(shape, broadcasting: [x.shape]).offsets(count: try checkedCount(shape)) }
    }

    /// Axis `i` of the result is axis `order[i]` of `x`.
    func permute(_ x: GraphValue, _ order: [Int]) throws -> GraphValue {
        if order == Array(x.shape.indices) { return x }
        let shape = order.map { x.shape[$0] }
        if case .float(let tensor) = x.content { return GraphValue(Permute(order)(tensor)) }
        let strides = rowStrides(x.shape)
        return try view(x, shape, strides: order.map { strides[$0] })
    }

    func reshape(_ x: GraphValue, _ shape: [Int]) throws -> GraphValue {
        guard try checkedCount(shape) == x.count else {
            throw error(.shapeMismatch, "a value of shape \(text(x.shape)) cannot be laid out as \(text(shape))")
        }
        try require(
            shape.count <= run.limits.rank, .tooLarge,
            "a value with \(shape.count) axes; at most \(run.limits.rank) are allowed")
        return x.reshaped(shape)
    }

    /// Entries `range` of one axis.
    func slice(_ x: GraphValue, axis: Int, _ range: Range<Int>) throws -> GraphValue {
        if range == 0..<x.shape[axis] { return x }
        if let tensor = x.tensor { return GraphValue(Slice(axis: axis, range.lowerBound, range.upperBound)(tensor)) }
        var shape = x.shape
        shape[axis] = range.count
        let strides = rowStrides(x.shape)
        return try view(x, shape, start: range.lowerBound * strides[axis], strides: strides)
    }

    /// Values of one shape but for `axis`, side by side along it.
    func concatenate(_ values: [GraphValue], axis: Int) throws -> GraphValue {
        if values.count == 1 { return values[0] }
        var shape = values[0].shape, extent = 0
        for value in values {
            var other = value.shape
            if other.count == shape.count { other[axis] = shape[axis] }
            try require(
                other == shape, .shapeMismatch,
                "shapes \(values.map { text($0.shape) }.joined(separator: " and ")) differ on another axis than \(axis)"
            )
            guard let sum = extent.plus(value.shape[axis]) else { throw error(.tooLarge, "the joined axis overflows") }
            extent = sum
        }
        shape[axis] = extent
        try reserve(shape, values[0].type)
        let tensors = values.compactMap(\.tensor)
        if tensors.count == values.count { return GraphValue(Concatenate(axis: axis).apply(tensors)) }
        let inner = shape[(axis + 1)...].reduce(1, *), outer = shape[..<axis].reduce(1, *)
        return try assemble(values, shape) {
            var starts: [Int] = [], start = 0
            for value in values {
                starts.append(start)
                start += value.count
            }
            var map: [Int32] = []
            map.reserveCapacity(start)
            for row in 0..<outer {
                for (value, start) in zip(values, starts) {
                    let width = value.shape[axis] * inner
                    for i in 0..<width { map.append(Int32(start + row * width + i)) }
                }
            }
            return map
        }
    }

    /// `[…] → […, 1 …]`: a new axis of extent 1 at `axis`.
    func unsqueezed(_ x: GraphValue, axis: Int) -> GraphValue {
        var shape = x.shape
        shape.insert(1, at: axis)
        return x.reshaped(shape)
    }
}
