import Glibc
import TensorCore

extension OperatorTable {
    static let arithmetic: [Operator] =
        [
            Operator("Add", since: 13, "T T", ["T": .numbers]) { call in
                [try call.combine(call.input(0), call.input(1), floats: .sum, signed: &+, unsigned: &+)]
            },
            Operator("Sub", since: 13, "T T", ["T": .numbers]) { call in
                [try call.combine(call.input(0), call.input(1), floats: .difference, signed: &-, unsigned: &-)]
            },
            Operator("Mul", since: 13, "T T", ["T": .numbers]) { call in
                [try call.combine(call.input(0), call.input(1), floats: .product, signed: &*, unsigned: &*)]
            },
            Operator("Div", since: 13, "T T", ["T": .numbers]) { call in
                [
                    try call.combine(
                        call.input(0), call.input(1), floats: .quotient,
                        signed: { a, b in
                            try call.require(b != 0, .badValue, "division of \(a) by zero")
                            return a.dividedReportingOverflow(by: b).partialValue
                        },
                        unsigned: { a, b in
                            try call.require(b != 0, .badValue, "division of \(a) by zero")
                            return a / b
                        })
                ]
            },
            Operator("Mod", since: 13, "T T", ["T": .numbers]) { call in [try call.modulo()] },
            Operator("Pow", since: 13, "T U", ["T": .numbers, "U": .numbers]) { call in [try call.raised()] },
            Operator("Sum", since: 13, "T*", ["T": .floats]) { call in
                [try call.all().dropFirst().reduce(call.input(0)) { try call.add($0, $1) }]
            },
            Operator("Mean", since: 13, "T*", ["T": .floats], widens: true) { call in
                let values = try call.all()
                let sum = try values.dropFirst().reduce(values[0]) { try call.add($0, $1) }
                return [try call.divide(sum, call.scalar(Double(values.count), like: sum))]
            },
            Operator("Max", since: 13, "T*", ["T": .numbers]) { call in
                [
                    try call.all().dropFirst().reduce(call.input(0)) {
                        try call.combine($0, $1, floats: .maximum, signed: { max($0, $1) }, unsigned: { max($0, $1) })
                    }
                ]
            },
            Operator("Min", since: 13, "T*", ["T": .numbers]) { call in
                [
                    try call.all().dropFirst().reduce(call.input(0)) {
                        try call.combine($0, $1, floats: .minimum, signed: { min($0, $1) }, unsigned: { min($0, $1) })
                    }
                ]
            },
            Operator("Clip", since: 13, "T T!? T!?", ["T": .numbers]) { call in [try call.clipped()] },
            Operator("Abs", since: 13, "T", ["T": .numbers]) { call in
                [try call.number(call.input(0), .magnitude, signed: { $0 < 0 ? 0 &- $0 : $0 }, unsigned: { $0 })]
            },
            Operator("Neg", since: 13, "T", ["T": .floats + .signed]) { call in
                [try call.number(call.input(0), .negation, signed: { 0 &- $0 }, unsigned: { 0 &- $0 })]
            },
            Operator("Sign", since: 13, "T", ["T": .numbers]) { call in
                [
                    try call.number(
                        call.input(0), .step { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }, signed: { $0.signum() },
                        unsigned: { $0 > 0 ? 1 : 0 })
                ]
            },
            Operator("BitShift", since: 11, "T T", ["T": .unsigned], gradient: .no) { call in [try call.shifted()] },
            Operator("BitwiseAnd", since: 18, "T T", ["T": .integers], gradient: .no) { call in [try call.bits(&, &)] },
            Operator("BitwiseOr", since: 18, "T T", ["T": .integers], gradient: .no) { call in [try call.bits(|, |)] },
            Operator("BitwiseXor", since: 18, "T T", ["T": .integers], gradient: .no) { call in [try call.bits(^, ^)] },
            Operator("BitwiseNot", since: 18, "T", ["T": .integers], gradient: .no) { call in
                [try call.number(call.input(0), .negation, signed: { ~$0 }, unsigned: { ~$0 })]
            },
        ] + functions

    /// Functions of one float.
    private static let functions: [Operator] = [
        float("Exp", 13, .exponential), float("Log", 13, .logarithm), float("Sqrt", 13, .squareRoot),
        float("Reciprocal", 13, .reciprocal), float("Floor", 13, .step(floor)), float("Ceil", 13, .step(ceil)),
        float("Round", 11, .step { $0.rounded(.toNearestOrEven) }),
        float(
            "Erf", 13,
            PointFunction(core: { ErrorFunction()($0) }, erf) { x, _ in 2 / Double.pi.squareRoot() * exp(-x * x) }),
        float("Sin", 7, PointFunction(sin) { x, _ in cos(x) }), float("Cos", 7, PointFunction(cos) { x, _ in -sin(x) }),
        float("Tan", 7, PointFunction(tan) { _, y in 1 + y * y }),
        float("Asin", 7, PointFunction(asin) { x, _ in 1 / (1 - x * x).squareRoot() }),
        float("Acos", 7, PointFunction(acos) { x, _ in -1 / (1 - x * x).squareRoot() }),
        float("Atan", 7, PointFunction(atan) { x, _ in 1 / (1 + x * x) }),
        float("Sinh", 9, PointFunction(sinh) { x, _ in cosh(x) }),
        float("Cosh", 9, PointFunction(cosh) { x, _ in sinh(x) }),
        float("Asinh", 9, PointFunction(asinh) { x, _ in 1 / (1 + x * x).squareRoot() }),
        float("Acosh", 9, PointFunction(acosh) { x, _ in 1 / (x * x - 1).squareRoot() }),
        float("Atanh", 9, PointFunction(atanh) { x, _ in 1 / (1 - x * x) }),
    ]

    static func float(_ name: String, _ since: Int, _ function: @autoclosure @escaping @Sendable () -> PointFunction)
        -> Operator
    {
        Operator(name, since: since, "T", ["T": .floats]) { call in [try call.map(call.input(0), function())] }
    }
}

extension Call {
    /// A function of each element, of any type of number.
    func number(
        _ x: GraphValue, _ function: PointFunction, signed: (Int64) -> Int64, unsigned: (UInt64) -> UInt64
    ) throws -> GraphValue {
        switch x.content {
        case .signed(let values):
            try reserve(x.shape, x.type)
            return GraphValue(x.type, x.shape, .signed(values.map { x.type.wrap(signed($0)) }))
        case .unsigned(let values):
            try reserve(x.shape, x.type)
            return GraphValue(x.type, x.shape, .unsigned(values.map { x.type.wrap(unsigned($0)) }))
        default: return try map(x, function)
        }
    }

    /// Remainder with the divisor's sign, or with `fmod` the dividend's.
    fileprivate func modulo() throws -> GraphValue {
        let truncated = try flag("fmod")
        let floats = PairFunction(
            { a, b in
                let rest = fmod(a, b)
                return !truncated && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
            }, slopeA: { _, _, _ in 1 }, slopeB: { a, b, y in (y - a) / b })
        return try combine(
            input(0), input(1), floats: floats,
            signed: { a, b in
                try require(b != 0, .badValue, "remainder of \(a) by zero")
                let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
                return !truncated && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
            },
            unsigned: { a, b in
                try require(b != 0, .badValue, "remainder of \(a) by zero")
                return a % b
            })
    }

    fileprivate func raised() throws -> GraphValue {
        let base = try input(0), exponent = try input(1)
        if base.type.isFloat { return try combine(base, cast(exponent, to: base.type), .power) }
        if exponent.type.isInteger {
            func power<T: FixedWidthInteger>(_ base: T, _ exponent: UInt64) -> T {
                var result: T = 1, factor = base, rest = exponent
                while rest > 0 {
                    if rest & 1 == 1 { result = result &* factor }
                    factor = factor &* factor
                    rest >>= 1
                }
                return result
            }
            return try combine(
                base, cast(exponent, to: base.type), floats: .power,
                signed: { a, b in
                    if b < 0 {
                        // The reciprocal, its fraction dropped.
                        try require(a != 0, .badValue, "0 to the power of \(b)")
                        return a == 1 ? 1 : a == -1 ? (b & 1 == 0 ? 1 : -1) : 0
                    }
                    return power(a, UInt64(b))
                }, unsigned: { power($0, $1) })
        }
        return try cast(combine(cast(base, to: .float64), cast(exponent, to: .float64), .power), to: base.type)
    }

    /// Between the bounds that are given. The slope is 1 inside and on them, as in PyTorch.
    fileprivate func clipped() throws -> GraphValue {
        var x = try input(0)
        for index in 1...2 {
            guard let bound = optional(index) else { continue }
            try require(
                bound.count == 1, .shapeMismatch,
                "input \(index), a bound, has shape \(text(bound.shape)); it must be a scalar")
            let scalar = bound.reshaped([]), shape = x.shape
            let lower = index == 1
            let floats = PairFunction(
                { a, b in a.isNaN ? a : lower ? (a < b ? b : a) : (a > b ? b : a) },
                slopeA: { a, b, _ in (lower ? a >= b : a <= b) ? 1 : 0 },
                slopeB: { a, b, _ in (lower ? a < b : a > b) ? 1 : 0 })
            x = try combine(
                x, scalar, floats: floats, signed: { lower ? max($0, $1) : min($0, $1) },
                unsigned: { lower ? max($0, $1) : min($0, $1) })
            x = x.shape == shape ? x : x.reshaped(shape)
        }
        return x
    }

    fileprivate func shifted() throws -> GraphValue {
        let direction = try string("direction", "")
        try require(
            direction == "LEFT" || direction == "RIGHT", .badValue, "direction \"\(direction)\" is not LEFT or RIGHT")
        let width = UInt64(try input(0).type.bits), left = direction == "LEFT"
        return try combine(
            input(0), input(1), floats: .sum, signed: { a, _ in a },
            unsigned: { a, b in b >= width ? 0 : left ? a << b : a >> b })
    }

    fileprivate func bits(_ signed: (Int64, Int64) -> Int64, _ unsigned: (UInt64, UInt64) -> UInt64) throws
        -> GraphValue
    {
        try combine(input(0), input(1), floats: .sum, signed: signed, unsigned: unsigned)
    }
}
