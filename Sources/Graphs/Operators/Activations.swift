import Glibc
import TensorCore

extension OperatorTable {
    static let activations: [Operator] = [
        Operator("Relu", since: 13, "T", ["T": .floats + .signed]) { call in
            [try call.number(call.input(0), .relu, signed: { max($0, 0) }, unsigned: { $0 })]
        },
        float("Sigmoid", 13, .sigmoid), float("Tanh", 13, .tangentH), float("Softplus", 1, .softplus),
        float("Softsign", 1, PointFunction({ $0 / (1 + abs($0)) }) { x, _ in 1 / ((1 + abs(x)) * (1 + abs(x))) }),
        float("HardSwish", 14, .hardSwish), float("Mish", 18, .mish),
        parametric("LeakyRelu", 6, ["alpha": 0.01]) { p in
            let a = p["alpha"]!
            return PointFunction(core: { LeakyReLU(alpha: Float(a))($0) }, { $0 < 0 ? a * $0 : $0 }) { x, _ in
                x < 0 ? a : 1
            }
        },
        parametric("Elu", 6, ["alpha": 1]) { p in
            let a = p["alpha"]!
            return PointFunction({ $0 < 0 ? a * expm1($0) : $0 }) { x, y in x < 0 ? y + a : 1 }
        },
        parametric("Celu", 12, ["alpha": 1]) { p in
            let a = p["alpha"]!
            return PointFunction({ max(0, $0) + min(0, a * expm1($0 / a)) }) { x, _ in x < 0 ? exp(x / a) : 1 }
        },
        parametric("Selu", 6, ["alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875]) { p in
            let a = p["alpha"]!, g = p["gamma"]!
            return PointFunction({ $0 <= 0 ? g * a * expm1($0) : g * $0 }) { x, y in x <= 0 ? y + g * a : g }
        },
        parametric("HardSigmoid", 6, ["alpha": 0.2, "beta": 0.5]) { p in .hardSigmoid(p["alpha"]!, p["beta"]!) },
        parametric("ThresholdedRelu", 10, ["alpha": 1]) { p in
            let a = p["alpha"]!
            return PointFunction({ $0 > a ? $0 : $0.isNaN ? $0 : 0 }) { x, _ in x > a ? 1 : 0 }
        },
        parametric("Shrink", 9, ["bias": 0, "lambd": 0.5]) { p in
            let bias = p["bias"]!, lambda = p["lambd"]!
            return PointFunction({ $0 < -lambda ? $0 + bias : $0 > lambda ? $0 - bias : 0 }) { x, _ in
                abs(x) > lambda ? 1 : 0
            }
        },
        parametric("Swish", 24, ["alpha": 1]) { p in .swish(p["alpha"]!) },
        Operator("Gelu", since: 20, "T", ["T": .floats]) { call in
            let approximation = try call.string("approximate", "none")
            switch approximation {
            case "none": return [try call.map(call.input(0), .gelu)]
            case "tanh": return [try call.map(call.input(0), .geluTanh)]
            default: throw call.error(.badValue, "approximate is \"\(approximation)\"; it must be none or tanh")
            }
        },
        Operator("PRelu", since: 9, "T T", ["T": .numbers]) { call in
            let x = try call.input(0), slope = try call.input(1)
            let joined = try call.broadcast([x.shape, slope.shape])
            try call.require(
                joined == x.shape, .shapeMismatch,
                "slope \(text(slope.shape)) does not fit an input of shape \(text(x.shape))")
            let floats = PairFunction(
                { x, a in x < 0 ? a * x : x }, slopeA: { x, a, _ in x < 0 ? a : 1 },
                slopeB: { x, _, _ in x < 0 ? x : 0 })
            return [
                try call.combine(x, slope, floats: floats, signed: { $0 < 0 ? $0 &* $1 : $0 }, unsigned: { x, _ in x })
            ]
        },
        Operator("Softmax", since: 13, "T", ["T": .floats], widens: true) { call in
            let x = try call.input(0)
            return [try call.softmax(x, axis: call.lastAxis(x))]
        },
        Operator("LogSoftmax", since: 13, "T", ["T": .floats], widens: true) { call in
            let x = try call.input(0)
            return [try call.logSoftmax(x, axis: call.lastAxis(x))]
        },
        Operator("Hardmax", since: 13, "T", ["T": .floats], gradient: .no) { call in [try call.hardmax()] },
    ]

    private static func parametric(
        _ name: String, _ since: Int, _ parameters: [String: Double],
        _ function: @escaping @Sendable ([String: Double]) -> PointFunction
    ) -> Operator {
        Operator(name, since: since, "T", ["T": .floats]) { call in
            var values: [String: Double] = [:]
            for (parameter, standard) in parameters {
                // Attributes are single precision, and so are their defaults.
                values[parameter] = try call.floatIfPresent(parameter) ?? Double(Float(standard))
            }
            return [try call.map(call.input(0), function(values))]
        }
    }
}

extension PointFunction {
    static func hardSigmoid(_ a: Double, _ b: Double) -> PointFunction {
        PointFunction({ $0.isNaN ? $0 : max(0, min(1, a * $0 + b)) }) { _, y in y > 0 && y < 1 ? a : 0 }
    }

    static var hardSwish: PointFunction {
        PointFunction(core: { HardSwish()($0) }, { $0 * max(0, min(1, $0 / 6 + 0.5)) }) { x, _ in
            x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5
        }
    }

    static var mish: PointFunction {
        PointFunction(core: { Mish()($0) }, { $0 * tanh(softplus($0)) }) { x, _ in
            let t = tanh(softplus(x))
            return t + x * (1 - t * t) * logistic(x)
        }
    }

    static func swish(_ a: Double) -> PointFunction {
        var function = PointFunction({ $0 * logistic(a * $0) }) { x, _ in
            let s = logistic(a * x)
            return s + a * x * s * (1 - s)
        }
        if a == 1 { function.core = { SiLU()($0) } }
        return function
    }

    static var gelu: PointFunction {
        PointFunction(core: { GELU()($0) }, { 0.5 * $0 * (1 + erf($0 * 0.5.squareRoot())) }) { x, _ in
            0.5 * (1 + erf(x * 0.5.squareRoot())) + x * exp(-0.5 * x * x) / (2 * Double.pi).squareRoot()
        }
    }

    static var geluTanh: PointFunction {
        let c = (2 / Double.pi).squareRoot()
        return PointFunction(core: { TanhGELU()($0) }, { 0.5 * $0 * (1 + tanh(c * ($0 + 0.044715 * $0 * $0 * $0))) }) {
            x, _ in
            let t = tanh(c * (x + 0.044715 * x * x * x))
            return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x)
        }
    }
}

extension Call {
    /// Attribute `axis` of a value with axes; the last one when it is left out.
    func lastAxis(_ x: GraphValue) throws -> Int { try axis(int("axis", -1), rank: x.rank) }

    /// The value with `axis` last, the body of it, and back.
    func withLast(_ x: GraphValue, axis: Int, _ body: (GraphValue) throws -> GraphValue) throws -> GraphValue {
        if axis == x.rank - 1 { return try body(x) }
        var order = Array(x.shape.indices)
        order.swapAt(axis, x.rank - 1)
        return try permute(body(permute(x, order)), order)
    }

    func softmax(_ x: GraphValue, axis: Int) throws -> GraphValue {
        try reserve(x.shape, x.type)
        if case .float = x.content {
            guard x.count > 0, let tensor = x.tensor else { return x }
            return GraphValue(Softmax(axis: axis)(tensor))
        }
        let largest = try largest(x, axes: [axis], keep: true)
        let powers = try exponential(subtract(x, largest))
        return try divide(powers, sum(powers, axes: [axis], keep: true))
    }

    func logSoftmax(_ x: GraphValue, axis: Int) throws -> GraphValue {
        if let tensor = x.tensor, x.count > 0 { return GraphValue(LogSoftmax(axis: axis)(tensor)) }
        // The largest is only there for the range of exp: its gradient would cancel out.
        let largest = try largest(x.detached, axes: [axis], keep: true)
        let shifted = try subtract(x, largest)
        return try subtract(shifted, logarithm(sum(exponential(shifted), axes: [axis], keep: true)))
    }

    /// 1 at the first of the largest elements, 0 elsewhere.
    fileprivate func hardmax() throws -> GraphValue {
        let x = try input(0)
        let axis = try lastAxis(x)
        try reserve(x.shape, x.type)
        if x.isAbsent { return x }
        return try withLast(x.detached, axis: axis) { x in
            let values = try reals(of: x, "the input"), width = x.shape[x.rank - 1]
            var result = [Double](repeating: 0, count: values.count)
            for row in 0..<(width == 0 ? 0 : values.count / width) {
                var best = 0
                for i in 1..<max(width, 1) where values[row * width + i] > values[row * width + best] { best = i }
                result[row * width + best] = 1
            }
            return try cast(GraphValue(.float64, x.shape, .real(result)), to: x.type)
        }
    }
}
