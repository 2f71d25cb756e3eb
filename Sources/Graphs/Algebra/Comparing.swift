import TensorCore

extension Call {
    /// A truth for each pair of elements, broadcast.
    func compare(
        _ a: GraphValue, _ b: GraphValue, reals real: (Double, Double) -> Bool, signed: (Int64, Int64) -> Bool,
        unsigned: (UInt64, UInt64) -> Bool, truths: (Bool, Bool) -> Bool
    ) throws -> GraphValue {
        let shape = try broadcast([a.shape, b.shape]), count = try reserve(shape, .bool)
        if a.isAbsent || b.isAbsent { return .absent(.bool, shape) }
        let result: [Bool]
        switch (a.content, b.content) {
        case (.signed(let x), .signed(let y)): result = pairs(x, a.shape, y, b.shape, shape, count: count, signed)
        case (.unsigned(let x), .unsigned(let y)): result = pairs(x, a.shape, y, b.shape, shape, count: count, unsigned)
        case (.truth(let x), .truth(let y)): result = pairs(x, a.shape, y, b.shape, shape, count: count, truths)
        default:
            try reserve(a.count + b.count, width: 8, shape)
            result = pairs(
                try reals(of: a, "the first input"), a.shape, try reals(of: b, "the second input"), b.shape, shape,
                count: count,
                real)
        }
        return GraphValue(.bool, shape, .truth(result))
    }

    /// A truth for each element of a float value.
    func test(_ x: GraphValue, _ body: (Double) -> Bool) throws -> GraphValue {
        try reserve(x.shape, .bool)
        if x.isAbsent { return .absent(.bool, x.shape) }
        return GraphValue(.bool, x.shape, .truth(try reals(of: x, "the input").map(body)))
    }

    /// Elements of `a` where the condition holds, else of `b`; all three broadcast. Gradients go to the element chosen.
    func choose(_ condition: GraphValue, _ a: GraphValue, _ b: GraphValue) throws -> GraphValue {
        let shape = try broadcast([condition.shape, a.shape, b.shape]), count = try reserve(shape, a.type)
        if condition.isAbsent || a.isAbsent || b.isAbsent { return .absent(a.type, shape) }
        let truths = try truths(of: condition, "the condition")
        return try assemble([a, b], shape) {
            let second = Int32(a.count)
            var chosen: [Bool] = []
            chosen.reserveCapacity(count)
            Walk(shape, broadcasting: [condition.shape]).forEach { c, _ in chosen.append(truths[c]) }
            var map: [Int32] = []
            map.reserveCapacity(count)
            Walk(shape, broadcasting: [a.shape, b.shape]).forEach { i, j in
                map.append(chosen[map.count] ? Int32(i) : second + Int32(j))
            }
            return map
        }
    }
}
