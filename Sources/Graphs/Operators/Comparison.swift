extension OperatorTable {
    static let comparison: [Operator] = [
        Operator("Equal", since: 13, "T T", ["T": .all], gradient: .no) { call in
            [try call.compare(call.input(0), call.input(1), reals: ==, signed: ==, unsigned: ==, truths: ==)]
        },
        Operator("Greater", since: 13, "T T", ["T": .numbers], gradient: .no) { call in
            [try call.compare(call.input(0), call.input(1), reals: >, signed: >, unsigned: >, truths: !=)]
        },
        Operator("GreaterOrEqual", since: 12, "T T", ["T": .numbers], gradient: .no) { call in
            [try call.compare(call.input(0), call.input(1), reals: >=, signed: >=, unsigned: >=, truths: !=)]
        },
        Operator("Less", since: 13, "T T", ["T": .numbers], gradient: .no) { call in
            [try call.compare(call.input(0), call.input(1), reals: <, signed: <, unsigned: <, truths: !=)]
        },
        Operator("LessOrEqual", since: 12, "T T", ["T": .numbers], gradient: .no) { call in
            [try call.compare(call.input(0), call.input(1), reals: <=, signed: <=, unsigned: <=, truths: !=)]
        },
        Operator("And", since: 7, "T T", ["T": .bool], gradient: .no) { call in [try call.logic { $0 && $1 }] },
        Operator("Or", since: 7, "T T", ["T": .bool], gradient: .no) { call in [try call.logic { $0 || $1 }] },
        Operator("Xor", since: 7, "T T", ["T": .bool], gradient: .no) { call in [try call.logic { $0 != $1 }] },
        Operator("Not", since: 1, "T", ["T": .bool], gradient: .no) { call in
            let x = try call.input(0)
            try call.reserve(x.shape, .bool)
            if x.isAbsent { return [x] }
            return [GraphValue(.bool, x.shape, .truth(try call.truths(of: x, "the input").map { !$0 }))]
        },
        Operator("IsNaN", since: 13, "T", ["T": .floats], gradient: .no) { call in
            [try call.test(call.input(0)) { $0.isNaN }]
        },
        Operator("IsInf", since: 10, "T", ["T": .floats], gradient: .no) { call in
            let positive = try call.flag("detect_positive", true), negative = try call.flag("detect_negative", true)
            return [try call.test(call.input(0)) { ($0 == .infinity && positive) || ($0 == -.infinity && negative) }]
        },
        Operator("Where", since: 9, "B T T", ["B": .bool, "T": .all]) { call in
            [try call.choose(call.input(0), call.input(1), call.input(2))]
        },
    ]
}

extension Call {
    fileprivate func logic(_ body: (Bool, Bool) -> Bool) throws -> GraphValue {
        try compare(input(0), input(1), reals: { _, _ in false }, signed: ==, unsigned: ==, truths: body)
    }
}
