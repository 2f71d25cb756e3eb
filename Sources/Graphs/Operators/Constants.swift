import TensorCore

extension OperatorTable {
    static let constants: [Operator] = [
        Operator("Constant", since: 13, "", [:], gradient: .no) { call in [try call.constant()] },
        Operator("ConstantOfShape", since: 9, "S!", ["S": .int64], gradient: .no) { call in
            let shape = try call.extents(call.integers(0)),
                value = try call.tensor("value") ?? GraphValue(Tensor([0], [1]))
            try call.require(
                value.count == 1, .shapeMismatch,
                "attribute value has shape \(text(value.shape)); it must have one element")
            return [try call.assemble([value], shape) { [Int32](repeating: 0, count: try checkedCount(shape)) }]
        },
        Operator("EyeLike", since: 9, "T", ["T": .all], gradient: .no) { call in
            let x = try call.input(0), k = try call.int("k", 0)
            try call.require(x.rank == 2, .shapeMismatch, "shape \(text(x.shape)) is not a matrix")
            let type = try call.type("dtype") ?? x.type, columns = x.shape[1]
            try call.reserve(x.shape, type)
            let pair = try call.cast(.int64([0, 1], [2]), to: type)
            return [
                try call.assemble([pair], x.shape) {
                    (0..<x.count).map {
                        ($0 % columns).subtractingReportingOverflow($0 / columns).partialValue == k ? 1 : 0
                    }
                }
            ]
        },
        Operator(
            "Range", since: 11, "T! T! T!", ["T": TypeSet([.float32, .float64, .int16, .int32, .int64])], gradient: .no
        ) { call in
            [try call.range()]
        },
        Operator("Cast", since: 13, "T", ["T": .all]) { call in
            guard let type = try call.type("to") else { throw call.error(.badValue, "attribute to is missing") }
            return [try call.cast(call.input(0), to: type)]
        },
        Operator("CastLike", since: 15, "T U!", ["T": .all, "U": .all]) { call in
            [try call.cast(call.input(0), to: call.input(1).type)]
        },
        Operator("Dropout", since: 13, "T R!? M!?", ["T": .floats, "R": .floats, "M": .bool], outputs: 1...2) { call in
            try call.dropout()
        },
    ]
}

extension Call {
    fileprivate func constant() throws -> GraphValue {
        if let value = try tensor("value") { return value }
        if let value = try intIfPresent("value_int") { return .int64([value], []) }
        if let values = try ints("value_ints") { return .int64(values, [values.count]) }
        if let value = try floatIfPresent("value_float") { return GraphValue(Tensor(scalar: Float(value))) }
        if let values = try floats("value_floats") {
            return GraphValue(Tensor(values.map { Float($0) }, [values.count]))
        }
        throw error(
            .unsupported, "the constant is a string, sparse or empty; use value, value_int(s) or value_float(s)")
    }

    fileprivate func range() throws -> GraphValue {
        let start = try input(0), limit = try input(1), step = try input(2)
        for value in [start, limit, step] {
            try require(
                value.count == 1, .shapeMismatch,
                "start, limit and delta must be scalars, not of shape \(text(value.shape))")
        }
        if start.type.isFloat {
            let (a, b, d) = (
                try reals(of: start, "start")[0], try reals(of: limit, "limit")[0], try reals(of: step, "delta")[0]
            )
            let count = ((b - a) / d).rounded(.up)
            try require(d != 0 && count.isFinite, .badValue, "a range from \(a) to \(b) in steps of \(d)")
            let shape = [Int(Self.signed(max(count, 0)))]
            try reserve(shape, start.type)
            return try cast(
                GraphValue(.float64, shape, .real((0..<shape[0]).map { a + Double($0) * d })), to: start.type)
        }
        let (a, b, d) = (try integers(0)[0], try integers(1)[0], try integers(2)[0])
        try require(d != 0, .badValue, "a range in steps of 0")
        let (span, overflow) = b.subtractingReportingOverflow(a)
        try require(!overflow && d != .min, .tooLarge, "a range from \(a) to \(b)")
        let count = (span > 0) == (d > 0) && span != 0 ? Int((span.magnitude - 1) / d.magnitude + 1) : 0
        try reserve([count], start.type)
        return GraphValue(start.type, [count], .signed((0..<count).map { Int64(a + $0 * d) }))
    }

    /// Whether a node that differs in training is to behave so; `asked`: what the graph says.
    func isTraining(_ asked: Bool) -> Bool {
        switch run.mode {
        case .asWritten: asked
        case .training: true
        case .evaluation: false
        }
    }

    /// Active where the graph says so, and while a head is trained; the mask tells which elements stayed.
    fileprivate func dropout() throws -> [GraphValue] {
        let x = try input(0)
        let ratio = try optional(1).map { try single(reals(of: $0, "the ratio"), "the ratio") } ?? 0.5
        try require(ratio >= 0 && ratio < 1, .badValue, "ratio \(ratio) does not lie in 0..<1")
        let asked = try optional(2).map { try single(truths(of: $0, "training_mode"), "training_mode") } ?? false
        try reserve(x.shape, x.type)
        let active = isTraining(asked)
        var seed = UInt64(bitPattern: Int64(try int("seed", 0)))
        if case .training(let drawn) = run.mode { seed = drawn }
        guard active, ratio > 0, !x.isAbsent else {
            let mask =
                x.isAbsent
                ? GraphValue.absent(.bool, x.shape)
                : GraphValue(.bool, x.shape, .truth([Bool](repeating: true, count: x.count)))
            return [x, mask]
        }
        var random = Random(seed: seed, stream: "dropout \(node.number)")
        let kept = (0..<x.count).map { _ in Double(random.uniform()) >= ratio }
        let scaled = GraphValue(.float64, x.shape, .real(kept.map { $0 ? 1 / (1 - ratio) : 0 }))
        return [try multiply(x, cast(scaled, to: x.type)), GraphValue(.bool, x.shape, .truth(kept))]
    }
}
