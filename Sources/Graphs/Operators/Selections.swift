extension OperatorTable {
    static let selections: [Operator] = [
        Operator("Concat", since: 13, "T*", ["T": .all]) { call in
            let values = try call.all()
            guard let axis = try call.intIfPresent("axis") else {
                throw call.error(.badValue, "attribute axis is missing")
            }
            return [try call.concatenate(values, axis: call.axis(axis, rank: values[0].rank))]
        },
        Operator("Split", since: 13, "T S!?", ["T": .all, "S": .int64], outputs: 1...4096) { call in try call.split() },
        Operator("Slice", since: 13, "T I! I! I!? I!?", ["T": .all, "I": .indices]) { call in [try call.sliced()] },
        Operator("Tile", since: 13, "T R!", ["T": .all, "R": .int64]) { call in [try call.tiled()] },
        Operator("Pad", since: 13, "T P! V!? A!?", ["T": .all, "P": .int64, "V": .all, "A": .indices]) { call in
            [try call.padded()]
        },
        Operator("CenterCropPad", since: 18, "T S!", ["T": .all, "S": .indices]) { call in [try call.centred()] },
        Operator("Trilu", since: 14, "T K!?", ["T": .all, "K": .int64]) { call in [try call.triangle()] },
        Operator("DepthToSpace", since: 13, "T", ["T": .all]) { call in [try call.depthToSpace()] },
        Operator("SpaceToDepth", since: 13, "T", ["T": .all]) { call in [try call.spaceToDepth()] },
        Operator("ReverseSequence", since: 10, "T L!", ["T": .all, "L": .int64]) { call in
            [try call.reversedSequences()]
        },
        Operator("Compress", since: 11, "T B!", ["T": .all, "B": .bool]) { call in [try call.compressed()] },
    ]
}

extension Call {
    fileprivate func split() throws -> [GraphValue] {
        let x = try input(0)
        let axis = try axis(int("axis", 0), rank: x.rank), extent = x.shape[axis], parts = node.outputs.count
        var sizes: [Int]
        if let given = try integersIfPresent(1) {
            sizes = given
        } else {
            let count = try int("num_outputs", parts)
            try require(
                count == parts && count > 0, .badValue, "num_outputs is \(count), and the node has \(parts) outputs")
            let each = (extent + count - 1) / count
            sizes = (0..<count).map { max(0, min(each, extent - $0 * each)) }
            try require(
                version >= 18 || extent % count == 0, .shapeMismatch,
                "axis \(axis) of shape \(text(x.shape)) does not split into \(count) equal parts")
        }
        var sum = 0
        for size in sizes {
            guard size >= 0, let next = sum.plus(size) else { throw error(.badValue, "the split \(text(sizes))") }
            sum = next
        }
        try require(
            sum == extent && sizes.count >= parts, .shapeMismatch,
            "the split \(text(sizes)) does not fit axis \(axis) of shape \(text(x.shape)) and \(parts) outputs")
        var start = 0
        return try sizes.map { size in
            defer { start += size }
            return try slice(x, axis: axis, start..<start + size)
        }
    }

    fileprivate func sliced() throws -> GraphValue {
        let x = try input(0), starts = try integers(1), ends = try integers(2)
        let axes = try axes(integersIfPresent(3) ?? Array(starts.indices), rank: x.rank)
        let steps = try integersIfPresent(4) ?? starts.map { _ in 1 }
        try require(
            starts.count == ends.count && starts.count == axes.count && starts.count == steps.count, .shapeMismatch,
            "\(starts.count) starts, \(ends.count) ends, \(axes.count) axes and \(steps.count) steps")
        var shape = x.shape, strides = rowStrides(x.shape), from = 0
        for (index, axis) in axes.enumerated() {
            let extent = x.shape[axis], step = steps[index]
            try require(step != 0, .badValue, "step 0 along axis \(axis)")
            func position(_ value: Int) -> Int { value < 0 ? value &+ extent : value }
            let lowest = step > 0 ? 0 : -1, highest = step > 0 ? extent : extent - 1
            // A start clamped to an element that exists; an end to one past either side.
            let start = min(max(position(starts[index]), 0), highest)
            let end =
                ends[index] < -extent
                ? lowest : min(max(position(ends[index]), lowest), highest == extent ? extent : extent)
            // Steps past the extent take one element; clamped they cannot overflow.
            let stride = min(max(step, -extent - 1), extent + 1)
            let span = step > 0 ? end - start : start - end
            shape[axis] = span <= 0 || extent == 0 ? 0 : (span - 1) / abs(stride) + 1
            if shape[axis] > 0 { from += start * strides[axis] }
            strides[axis] *= stride
        }
        if shape == x.shape, steps.allSatisfy({ $0 > 0 }) { return x }
        return try view(x, shape, start: from, strides: strides)
    }

    fileprivate func tiled() throws -> GraphValue {
        let x = try input(0), repeats = try extents(integers(1))
        try require(
            repeats.count == x.rank, .shapeMismatch, "\(repeats.count) repeats for a value of shape \(text(x.shape))")
        var shape: [Int] = []
        for (extent, count) in zip(x.shape, repeats) {
            guard let product = extent.times(count) else { throw error(.tooLarge, "\(extent) times \(count)") }
            shape.append(product)
        }
        return try selectByAxis(x, shape) { $0 % x.shape[$1] }
    }

    /// Element by element along each axis: position of the output → position of the input, or −1 for `fill`.
    func selectByAxis(
        _ x: GraphValue, _ shape: [Int], fill: Double = 0, _ source: (_ position: Int, _ axis: Int) -> Int
    ) throws -> GraphValue {
        try select(x, shape, fill: fill) {
            let strides = rowStrides(x.shape)
            // Offset of each position of each axis; −1 where there is none.
            let offsets = shape.indices.map { axis in
                (0..<shape[axis]).map { position -> Int in
                    let from = source(position, axis)
                    return from < 0 ? -1 : from * strides[axis]
                }
            }
            var map: [Int32] = [0]
            for axis in shape.indices {
                var next: [Int32] = []
                next.reserveCapacity(map.count * shape[axis])
                for base in map {
                    for offset in offsets[axis] { next.append(base < 0 || offset < 0 ? -1 : base + Int32(offset)) }
                }
                map = next
            }
            return map
        }
    }

    fileprivate func padded() throws -> GraphValue {
        let x = try input(0), pads = try integers(1), mode = try string("mode", "constant")
        let axes = try axes(integersIfPresent(3) ?? Array(x.shape.indices), rank: x.rank)
        try require(
            pads.count == 2 * axes.count, .shapeMismatch,
            "\(pads.count) pads for \(axes.count) axes of shape \(text(x.shape)); two an axis are needed")
        var before = [Int](repeating: 0, count: x.rank), after = before
        for (index, axis) in axes.enumerated() {
            before[axis] = pads[index]
            after[axis] = pads[index + axes.count]
        }
        // Negative pads crop first.
        var cropped = x
        for axis in x.shape.indices where before[axis] < 0 || after[axis] < 0 {
            let from = max(0, 0 &- before[axis]), to = cropped.shape[axis] &- max(0, 0 &- after[axis])
            try require(
                from <= cropped.shape[axis] && to >= 0 && from <= to, .badValue,
                "pads \(before[axis]) and \(after[axis]) crop more than axis \(axis) of shape \(text(x.shape)) has")
            cropped = try slice(cropped, axis: axis, from..<to)
            before[axis] = max(0, before[axis])
            after[axis] = max(0, after[axis])
        }
        let source = cropped
        var shape: [Int] = []
        for axis in source.shape.indices {
            guard let some = source.shape[axis].plus(before[axis]), let extent = some.plus(after[axis]) else {
                throw error(.tooLarge, "pads \(before[axis]) and \(after[axis])")
            }
            shape.append(extent)
        }
        if shape == source.shape { return source }
        if mode == "constant" { return try constantPadded(source, shape, before) }
        let extents = source.shape
        for axis in extents.indices where before[axis] + after[axis] > 0 {
            try require(
                extents[axis] > 0, .shapeMismatch,
                "axis \(axis) of shape \(text(extents)) is empty: there is nothing to \(mode)")
        }
        switch mode {
        case "edge": return try selectByAxis(source, shape) { min(max($0 - before[$1], 0), extents[$1] - 1) }
        case "wrap":
            return try selectByAxis(source, shape) { position, axis in
                let rest = (position - before[axis]) % extents[axis]
                return rest < 0 ? rest + extents[axis] : rest
            }
        case "reflect":
            return try selectByAxis(source, shape) { position, axis in
                if extents[axis] == 1 { return 0 }
                let period = 2 * (extents[axis] - 1)
                var rest = (position - before[axis]) % period
                if rest < 0 { rest += period }
                return rest < extents[axis] ? rest : period - rest
            }
        default: throw error(.badValue, "mode \"\(mode)\" is not constant, reflect, edge or wrap")
        }
    }

    private func constantPadded(_ x: GraphValue, _ shape: [Int], _ before: [Int]) throws -> GraphValue {
        let extents = x.shape
        func inside(_ position: Int, _ axis: Int) -> Int {
            let from = position - before[axis]
            return from >= 0 && from < extents[axis] ? from : -1
        }
        guard let given = optional(2) else { return try selectByAxis(x, shape, inside) }
        try require(
            given.count == 1, .shapeMismatch,
            "input 2, the value to pad with, has shape \(text(given.shape)); it must be a scalar")
        try require(
            given.type == x.type, .typeMismatch,
            "input 2, the value to pad with, is \(given.type.rawValue), and the data is \(x.type.rawValue)")
        if x.type.isFloat, !given.isAbsent {
            return try selectByAxis(x, shape, fill: reals(of: given, "input 2")[0], inside)
        }
        // Exact for every type: the constant is one more element to choose.
        try require(x.count + 1 < Int(Int32.max), .tooLarge, "\(x.count) elements to pad")
        let positions = try selectByAxis(
            .int64(Array(0..<(x.isAbsent ? 0 : x.count)), x.isAbsent ? [0] : extents), x.isAbsent ? [0] : shape,
            fill: -1, inside)
        return try assemble([x, given], shape) {
            try integers(of: positions, "positions").map { $0 < 0 ? Int32(x.count) : Int32($0) }
        }
    }

    fileprivate func centred() throws -> GraphValue {
        let x = try input(0), wanted = try extents(integers(1))
        let axes = try axes(ints("axes") ?? Array(x.shape.indices), rank: x.rank)
        try require(wanted.count == axes.count, .shapeMismatch, "\(wanted.count) extents for \(axes.count) axes")
        var shape = x.shape, shifts = [Int](repeating: 0, count: x.rank)
        for (axis, extent) in zip(axes, wanted) {
            shape[axis] = extent
            let difference = extent - x.shape[axis]
            shifts[axis] = difference >= 0 ? difference / 2 : -(-difference / 2)
        }
        return try selectByAxis(x, shape) { position, axis in
            let from = position - shifts[axis]
            return from >= 0 && from < x.shape[axis] ? from : -1
        }
    }

    fileprivate func triangle() throws -> GraphValue {
        let x = try input(0), upper = try flag("upper", true)
        try require(x.rank >= 2, .shapeMismatch, "shape \(text(x.shape)): a triangle needs two axes")
        let k = try integersIfPresent(1).map { try single($0, "k") } ?? 0
        let rows = x.shape[x.rank - 2], columns = x.shape[x.rank - 1]
        let shift = min(max(k, -rows - columns - 1), rows + columns + 1)
        return try select(x, x.shape) {
            (0..<x.count).map { i in
                let row = i / columns % rows, column = i % columns
                return (upper ? column - row >= shift : column - row <= shift) ? Int32(i) : -1
            }
        }
    }

    private func blockSize(_ x: GraphValue) throws -> Int {
        let size = try int("blocksize", 0)
        try require(x.rank == 4, .shapeMismatch, "shape \(text(x.shape)) is not [batch, channels, height, width]")
        try require(size > 0 && size < 1 << 20, .badValue, "blocksize \(size)")
        return size
    }

    fileprivate func depthToSpace() throws -> GraphValue {
        let x = try input(0), b = try blockSize(x)
        let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        try require(
            c % (b * b) == 0, .shapeMismatch,
            "\(c) channels of shape \(text(x.shape)) do not divide by blocksize \(b) squared")
        let mode = try string("mode", "DCR"), depth = c / (b * b)
        try require(mode == "DCR" || mode == "CRD", .badValue, "mode \"\(mode)\" is not DCR or CRD")
        guard h.times(b) != nil, w.times(b) != nil else { throw error(.tooLarge, "blocksize \(b)") }
        if mode == "DCR" {
            let blocks = try permute(x.reshaped([n, b, b, depth, h, w]), [0, 3, 4, 1, 5, 2])
            return try reshape(blocks, [n, depth, h * b, w * b])
        }
        let blocks = try permute(x.reshaped([n, depth, b, b, h, w]), [0, 1, 4, 2, 5, 3])
        return try reshape(blocks, [n, depth, h * b, w * b])
    }

    fileprivate func spaceToDepth() throws -> GraphValue {
        let x = try input(0), b = try blockSize(x)
        let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        try require(
            h % b == 0 && w % b == 0, .shapeMismatch,
            "height and width of shape \(text(x.shape)) do not divide by blocksize \(b)")
        let mode = try string("mode", "DCR")
        let blocks = x.reshaped([n, c, h / b, b, w / b, b])
        let order = mode == "CRD" ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4]
        return try reshape(permute(blocks, order), [n, c * b * b, h / b, w / b])
    }

    fileprivate func reversedSequences() throws -> GraphValue {
        let x = try input(0), lengths = try integers(1)
        let batch = try axis(int("batch_axis", 1), rank: x.rank), time = try axis(int("time_axis", 0), rank: x.rank)
        try require(batch != time, .badValue, "batch_axis and time_axis are both \(batch)")
        try require(
            lengths.count == x.shape[batch], .shapeMismatch, "\(lengths.count) lengths for \(x.shape[batch]) sequences")
        for length in lengths {
            try require(
                length >= 0 && length <= x.shape[time], .badValue,
                "length \(length) of sequences of \(x.shape[time]) steps")
        }
        let strides = rowStrides(x.shape)
        return try select(x, x.shape) {
            (0..<x.count).map { i in
                let step = i / strides[time] % x.shape[time], length = lengths[i / strides[batch] % x.shape[batch]]
                return Int32(step < length ? i + (length - 1 - 2 * step) * strides[time] : i)
            }
        }
    }

    fileprivate func compressed() throws -> GraphValue {
        var x = try input(0)
        let condition = try truths(of: input(1), "the condition")
        let axis: Int
        if let given = try intIfPresent("axis") {
            axis = try self.axis(given, rank: x.rank)
        } else {
            x = x.reshaped([x.count])
            axis = 0
        }
        let kept = condition.indices.filter { condition[$0] }
        try require(
            condition.count <= x.shape[axis], .shapeMismatch,
            "\(condition.count) conditions for axis \(axis) of shape \(text(x.shape))")
        var shape = x.shape
        shape[axis] = kept.count
        return try selectByAxis(x, shape) { $1 == axis ? kept[$0] : $0 }
    }
}
