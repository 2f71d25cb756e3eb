import TensorCore

extension OperatorTable {
    static let indexing: [Operator] = [
        Operator("Gather", since: 13, "T I!", ["T": .all, "I": .indices]) { call in [try call.gather()] },
        Operator("GatherElements", since: 13, "T I!", ["T": .all, "I": .indices]) { call in
            let x = try call.input(0)
            return [try call.gatherElements(x, call.input(1), axis: call.axis(call.int("axis", 0), rank: x.rank))]
        },
        Operator("GatherND", since: 13, "T I!", ["T": .all, "I": .int64]) { call in [try call.gatherND()] },
        Operator("ScatterElements", since: 13, "T I! T", ["T": .all, "I": .indices]) { call in
            [try call.scatterElements()]
        },
        Operator("ScatterND", since: 13, "T I! T", ["T": .all, "I": .int64]) { call in [try call.scatterND()] },
        Operator("OneHot", since: 11, "I! D! T!", ["I": .numbers, "D": .numbers, "T": .all], gradient: .no) { call in
            [try call.oneHot()]
        },
        Operator("NonZero", since: 13, "T", ["T": .all], gradient: .no) { call in [try call.nonZero()] },
    ]
}

extension Call {
    /// An index counted from the front.
    func position(_ index: Int, within extent: Int, axis: Int, of shape: [Int]) throws -> Int {
        let positive = index < 0 ? index &+ extent : index
        guard positive >= 0, positive < extent else {
            throw error(.badValue, "index \(index) is outside of axis \(axis) of shape \(text(shape))")
        }
        return positive
    }

    /// `[…, axis, …]` by indices `[…]`: the axis is replaced by the axes of the indices.
    fileprivate func gather() throws -> GraphValue {
        let x = try input(0), indices = try input(1), axis = try axis(int("axis", 0), rank: x.rank)
        let shape = Array(x.shape[..<axis]) + indices.shape + Array(x.shape[(axis + 1)...])
        try reserve(shape, x.type)
        if indices.isAbsent || x.isAbsent {
            if !indices.isAbsent {
                for index in try integers(1) { _ = try position(index, within: x.shape[axis], axis: axis, of: x.shape) }
            }
            return .absent(x.type, shape)
        }
        let positions = try integers(1).map { try position($0, within: x.shape[axis], axis: axis, of: x.shape) }
        if let tensor = x.tensor, axis == 0, x.rank == 2 {
            return GraphValue(Embedding(positions.map { Int32($0) }, shape: Shape(indices.shape))(tensor))
        }
        if let tensor = x.tensor, x.count > 0, !positions.isEmpty {
            return try reshape(GraphValue(IndexSelect(axis: axis, Indices(positions))(tensor)), shape)
        }
        let outer = x.shape[..<axis].reduce(1, *), inner = x.shape[(axis + 1)...].reduce(1, *), extent = x.shape[axis]
        return try select(x, shape) {
            var map: [Int32] = []
            map.reserveCapacity(outer * positions.count * inner)
            for row in 0..<outer {
                for position in positions {
                    let start = (row * extent + position) * inner
                    for i in 0..<inner { map.append(Int32(start + i)) }
                }
            }
            return map
        }
    }

    /// `output[i][j][k] = x[index[i][j][k]][j][k]` for axis 0, and so on.
    func gatherElements(_ x: GraphValue, _ indices: GraphValue, axis: Int) throws -> GraphValue {
        try checkElementIndices(x, indices, axis: axis)
        try reserve(indices.shape, x.type)
        if indices.isAbsent { return .absent(x.type, indices.shape) }
        let map = try elementMap(x.shape, indices, axis: axis)
        return try select(x, indices.shape) { map }
    }

    private func checkElementIndices(_ x: GraphValue, _ indices: GraphValue, axis: Int) throws {
        try require(
            indices.rank == x.rank && x.shape.indices.allSatisfy { $0 == axis || indices.shape[$0] <= x.shape[$0] },
            .shapeMismatch,
            "indices of shape \(text(indices.shape)) do not fit data of shape \(text(x.shape)) along axis \(axis)")
    }

    /// For each index the element of `shape` it names.
    private func elementMap(_ shape: [Int], _ indices: GraphValue, axis: Int) throws -> [Int32] {
        let values = try integers(of: indices, "the indices"), strides = rowStrides(shape)
        try require(try checkedCount(shape) < Int(Int32.max), .tooLarge, "\(text(shape)) elements to index")
        var map: [Int32] = []
        map.reserveCapacity(values.count)
        var others = strides
        others[axis] = 0
        try Walk(indices.shape, strides: [others]).forEach { offset, _ in
            let index = try position(values[map.count], within: shape[axis], axis: axis, of: shape)
            map.append(Int32(offset + index * strides[axis]))
        }
        return map
    }

    /// The starts of the slices that index tuples `[…, depth]` name in `shape`, below `batch` axes in common.
    private func tupleOffsets(_ shape: [Int], _ indices: GraphValue, batch: Int) throws -> [Int] {
        let values = try integers(of: indices, "the indices"), depth = indices.shape[indices.rank - 1],
            strides = rowStrides(shape)
        let tuples = indices.shape.dropLast().reduce(1, *), groups = indices.shape[..<batch].reduce(1, *)
        var offsets: [Int] = []
        offsets.reserveCapacity(tuples)
        let each = groups == 0 ? 0 : tuples / groups, groupStride = shape[batch...].reduce(1, *)
        for tuple in 0..<tuples {
            var offset = each == 0 ? 0 : tuple / each * groupStride
            for level in 0..<depth {
                let axis = batch + level
                offset +=
                    try position(values[tuple * depth + level], within: shape[axis], axis: axis, of: shape)
                    * strides[axis]
            }
            offsets.append(offset)
        }
        return offsets
    }

    fileprivate func gatherND() throws -> GraphValue {
        let x = try input(0), indices = try input(1), batch = try int("batch_dims", 0)
        try require(indices.rank >= 1 && x.rank >= 1, .shapeMismatch, "a scalar cannot be gathered from or by")
        let depth = indices.shape[indices.rank - 1]
        try require(
            batch >= 0 && batch < indices.rank && batch <= x.rank && depth <= x.rank - batch
                && Array(x.shape[..<batch]) == Array(indices.shape[..<batch]), .shapeMismatch,
            "indices of shape \(text(indices.shape)) do not fit data of shape \(text(x.shape)) with \(batch) batch axes"
        )
        let shape = Array(indices.shape.dropLast()) + Array(x.shape[(batch + depth)...])
        try reserve(shape, x.type)
        if indices.isAbsent { return .absent(x.type, shape) }
        let offsets = try tupleOffsets(x.shape, indices, batch: batch), width = x.shape[(batch + depth)...].reduce(1, *)
        return try select(x, shape) { offsets.flatMap { start in (0..<width).map { Int32(start + $0) } } }
    }

    // MARK: Scatter

    fileprivate func scatterElements() throws -> GraphValue {
        let x = try input(0), indices = try input(1), updates = try input(2),
            axis = try axis(int("axis", 0), rank: x.rank)
        try checkElementIndices(x, indices, axis: axis)
        try require(
            indices.shape == updates.shape, .shapeMismatch,
            "indices of shape \(text(indices.shape)) and updates of shape \(text(updates.shape)) must be equal")
        if indices.isAbsent { return .absent(x.type, x.shape) }
        return try scatter(x, updates, to: elementMap(x.shape, indices, axis: axis))
    }

    fileprivate func scatterND() throws -> GraphValue {
        let x = try input(0), indices = try input(1), updates = try input(2)
        try require(indices.rank >= 1 && x.rank >= 1, .shapeMismatch, "a scalar cannot be scattered to or by")
        let depth = indices.shape[indices.rank - 1]
        try require(
            depth <= x.rank && updates.shape == Array(indices.shape.dropLast()) + Array(x.shape[depth...]),
            .shapeMismatch,
            "updates of shape \(text(updates.shape)) do not fit indices of shape \(text(indices.shape)) and data of shape \(text(x.shape))"
        )
        try reserve(updates.shape, x.type)
        if indices.isAbsent { return .absent(x.type, x.shape) }
        try require(x.count < Int(Int32.max), .tooLarge, "\(text(x.shape)) elements to index")
        let offsets = try tupleOffsets(x.shape, indices, batch: 0), width = x.shape[depth...].reduce(1, *)
        return try scatter(x, updates, to: offsets.flatMap { start in (0..<width).map { Int32(start + $0) } })
    }

    /// Update `i` goes to element `map[i]` of `x`: in place of it, added to it, multiplied with it, or whichever is larger or smaller.
    private func scatter(_ x: GraphValue, _ updates: GraphValue, to map: [Int32]) throws -> GraphValue {
        let reduction = try string("reduction", "none")
        try reserve(x.shape, x.type)
        if x.isAbsent || updates.isAbsent { return .absent(x.type, x.shape) }
        switch reduction {
        case "none":
            return try assemble([x, updates], x.shape) {
                var chosen = (0..<x.count).map { Int32($0) }
                for (i, to) in map.enumerated() { chosen[Int(to)] = Int32(x.count + i) }
                return chosen
            }
        case "add" where x.type == .float32:
            return try add(x, scatterSum(updates, x.shape) { map })
        case "add": return try folded(x, updates, map, { $0 + $1 }, { $0 &+ $1 }, { $0 &+ $1 }, { $0 || $1 })
        case "mul": return try folded(x, updates, map, { $0 * $1 }, { $0 &* $1 }, { $0 &* $1 }, { $0 && $1 })
        case "max":
            return try folded(
                x, updates, map, { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }, { max($0, $1) }, { max($0, $1) },
                { $0 || $1 })
        case "min":
            return try folded(
                x, updates, map, { $0.isNaN || $1.isNaN ? .nan : min($0, $1) }, { min($0, $1) }, { min($0, $1) },
                { $0 && $1 })
        default: throw error(.badValue, "reduction \"\(reduction)\" is not none, add, mul, max or min")
        }
    }

    private func folded(
        _ x: GraphValue, _ updates: GraphValue, _ map: [Int32], _ real: (Double, Double) -> Double,
        _ signed: (Int64, Int64) -> Int64,
        _ unsigned: (UInt64, UInt64) -> UInt64, _ truth: (Bool, Bool) -> Bool
    ) throws -> GraphValue {
        try require(
            !x.isTracked && !updates.isTracked, .unsupported,
            "scattering with a product, maximum or minimum has no gradient; use the reduction add or none in a trained graph"
        )
        func fold<T>(_ values: [T], _ updates: [T], _ body: (T, T) -> T) -> [T] {
            var result = values
            for (i, to) in map.enumerated() { result[Int(to)] = body(result[Int(to)], updates[i]) }
            return result
        }
        switch (x.content, updates.content) {
        case (.float(let a), .float(let b)):
            return GraphValue(Tensor(fold(a.values, b.values) { Float(real(Double($0), Double($1))) }, a.shape))
        case (.real(let a), .real(let b)): return GraphValue(x.type, x.shape, .real(x.type.narrowed(fold(a, b, real))))
        case (.signed(let a), .signed(let b)):
            return GraphValue(x.type, x.shape, .signed(fold(a, b) { x.type.wrap(signed($0, $1)) }))
        case (.unsigned(let a), .unsigned(let b)):
            return GraphValue(x.type, x.shape, .unsigned(fold(a, b) { x.type.wrap(unsigned($0, $1)) }))
        case (.truth(let a), .truth(let b)): return GraphValue(x.type, x.shape, .truth(fold(a, b, truth)))
        default: throw error(.typeMismatch, "\(x.type.rawValue) data and \(updates.type.rawValue) updates")
        }
    }

    // MARK: Positions

    fileprivate func oneHot() throws -> GraphValue {
        let indices = try input(0), values = try input(2)
        let depth = try single(integers(of: cast(input(1), to: .int64), "depth"), "depth")
        try require(
            values.shape == [2], .shapeMismatch, "values of shape \(text(values.shape)); two are needed, off and on")
        try require(depth >= 0, .badValue, "depth \(depth)")
        let axis = try axis(int("axis", -1), rank: indices.rank + 1)
        var shape = indices.shape
        shape.insert(depth, at: axis)
        let count = try reserve(shape, values.type)
        if indices.isAbsent || values.isAbsent { return .absent(values.type, shape) }
        let positions = try integers(of: cast(indices, to: .int64), "the indices")
        return try assemble([values], shape) {
            let inner = shape[(axis + 1)...].reduce(1, *)
            return (0..<count).map { i in
                let column = i / inner % depth, index = positions[i / (inner * depth) * inner + i % inner]
                return (index < 0 ? index &+ depth : index) == column ? 1 : 0
            }
        }
    }

    /// `[axes, found]`: the position of each element that is not zero.
    fileprivate func nonZero() throws -> GraphValue {
        let x = try input(0)
        if x.isAbsent {
            throw error(.dependsOnData, "the number of elements that are not zero is known only when the graph runs")
        }
        let truths = try truths(of: cast(x.detached, to: .bool), "the input")
        let found = truths.indices.filter { truths[$0] }, strides = rowStrides(x.shape)
        let rank = max(x.rank, 0)
        try reserve([rank, found.count], .int64)
        return .int64(
            (0..<rank).flatMap { axis in found.map { $0 / strides[axis] % x.shape[axis] } }, [rank, found.count])
    }
}
