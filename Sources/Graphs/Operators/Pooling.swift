import TensorCore

extension OperatorTable {
    static let pooling: [Operator] = [
        Operator("MaxPool", since: 12, "T", ["T": .floats + TypeSet([.int8, .uint8])], outputs: 1...2, widens: true) {
            call in
            try call.maximumPooling()
        },
        Operator("AveragePool", since: 11, "T", ["T": .floats], widens: true) { call in [try call.averagePooling()] },
        Operator("LpPool", since: 11, "T", ["T": .floats], widens: true) { call in
            let x = try call.input(0), p = Double(try call.int("p", 2))
            let window = try call.window(over: x, ceiling: call.flag("ceil_mode"))
            try call.require(p > 0, .badValue, "p \(p)")
            let windows = try call.windows(x, window, fill: 0)
            let powers = try call.power(call.map(windows, .magnitude), p)
            let sums = try call.sum(powers, axes: [3], keep: false)
            return [try call.reshape(call.power(sums, 1 / p), Array(x.shape[..<2]) + window.output)]
        },
        global("GlobalAveragePool") { try $0.mean($1, axes: $2, keep: true) },
        global("GlobalMaxPool") { try $0.largest($1, axes: $2, keep: true) },
        global("GlobalLpPool") { call, x, axes in
            let p = Double(try call.int("p", 2))
            try call.require(p > 0, .badValue, "p \(p)")
            return try call.power(call.sum(call.power(call.map(x, .magnitude), p), axes: axes, keep: true), 1 / p)
        },
    ]

    private static func global(
        _ name: String, _ body: @escaping @Sendable (Call, GraphValue, [Int]) throws -> GraphValue
    ) -> Operator {
        Operator(name, since: 1, "T", ["T": .floats], widens: true) { call in
            let x = try call.input(0)
            _ = try call.spatialExtents(x)
            return [try body(call, x, Array(2..<x.rank))]
        }
    }
}

extension Call {
    /// The largest of each window, and where it was: the gradient goes to the first of equals.
    fileprivate func maximumPooling() throws -> [GraphValue?] {
        let x = try input(0)
        let window = try window(over: x, ceiling: flag("ceil_mode"))
        let shape = Array(x.shape[..<2]) + window.output
        let count = try reserve(shape, .int64)
        let wantsIndices = node.outputs.count > 1 && node.outputs[1] != nil
        if x.isAbsent { return [.absent(x.type, shape), .absent(.int64, shape)] }
        if !wantsIndices, let core = try coreMaximumPooling(x, window) { return [core] }
        try reserve([count, window.kernelCount], .float32)
        try require(x.count < Int(Int32.max), .tooLarge, "\(text(x.shape)) elements to choose from")
        let map = windowMap(x, window), order = RowOrder(x.detached, call: self), taps = window.kernelCount
        let best = (0..<count).map { cell -> Int32 in
            var best: Int32 = -1
            for from in map[cell * taps..<(cell + 1) * taps] where from >= 0 {
                if best < 0 || order.better(Int(from), Int(best), >) { best = from }
            }
            return best
        }
        let result = try select(x, shape, fill: -.infinity) { best }
        guard wantsIndices else { return [result] }
        let columnMajor = try int("storage_order", 0) == 1, each = window.inputCount
        let strides = rowStrides(window.input)
        let positions = best.map { index -> Int64 in
            guard columnMajor, index >= 0 else { return Int64(index) }
            var position = 0, step = 1
            for axis in window.input.indices {
                position += Int(index) % each / strides[axis] % window.input[axis] * step
                step *= window.input[axis]
            }
            return Int64(Int(index) / each * each + position)
        }
        return [result, GraphValue(.int64, shape, .signed(positions))]
    }

    fileprivate func averagePooling() throws -> GraphValue {
        let x = try input(0), withPadding = try flag("count_include_pad")
        let window = try window(over: x, ceiling: flag("ceil_mode"))
        if let core = try coreAveragePooling(x, window, withPadding: withPadding) { return core }
        let sums = try sum(windows(x, window, fill: 0), axes: [3], keep: false)
        // How many elements each window holds, along each axis: those of the padding only when they count, and never those past it.
        var counts: [Double] = [1]
        for axis in window.kernel.indices {
            let along = (0..<window.output[axis]).map { o -> Double in
                Double(
                    (0..<window.kernel[axis]).count { k in
                        if !withPadding { return window.source(axis, k, o) >= 0 }
                        let position = o * window.strides[axis] + k * window.dilations[axis]
                        return position < window.input[axis] + window.padBefore[axis] + window.padAfter[axis]
                    })
            }
            counts = counts.flatMap { count in along.map { count * $0 } }
        }
        let divisors = try cast(GraphValue(.float64, [window.outputCount], .real(counts)), to: x.type)
        return try reshape(divide(sums, divisors), Array(x.shape[..<2]) + window.output)
    }
}
