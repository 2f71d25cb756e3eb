import TensorCore

/// A function of one float and its slope, computed in double.
struct PointFunction {
    let value: (Double) -> Double
    /// Derivative from the argument and the value.
    let slope: (_ x: Double, _ y: Double) -> Double
    /// The core's own op for float32, when it has one.
    var core: (@Sendable (Tensor) -> Tensor)?

    init(
        core: (@Sendable (Tensor) -> Tensor)? = nil, _ value: @escaping (Double) -> Double,
        slope: @escaping (_ x: Double, _ y: Double) -> Double
    ) {
        self.value = value
        self.slope = slope
        self.core = core
    }
}

/// A function of two floats with broadcasting, and its slopes.
struct PairFunction {
    let value: (Double, Double) -> Double
    let slopeA: (_ a: Double, _ b: Double, _ y: Double) -> Double
    let slopeB: (_ a: Double, _ b: Double, _ y: Double) -> Double
    var core: (@Sendable (Tensor, Tensor) -> Tensor)?

    init(
        core: (@Sendable (Tensor, Tensor) -> Tensor)? = nil, _ value: @escaping (Double, Double) -> Double,
        slopeA: @escaping (_ a: Double, _ b: Double, _ y: Double) -> Double,
        slopeB: @escaping (_ a: Double, _ b: Double, _ y: Double) -> Double
    ) {
        self.value = value
        self.slopeA = slopeA
        self.slopeB = slopeB
        self.core = core
    }
}

/// A `PointFunction` of each element.
struct Pointwise: DifferentiableOp {
    static let name = "graph_pointwise"
    let function: PointFunction

    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), y = Tensor(uninitialised: x.shape)
        for i in 0..<x.count { y.mutablePointer[i] = Float(function.value(Double(x.pointer[i]))) }
        return (y, [y])
    }

    func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let x = inputs[0].contiguous(), y = saved[0], dx = Tensor(uninitialised: x.shape), dy = gradient.contiguous()
        for i in 0..<x.count {
            dx.mutablePointer[i] = dy.pointer[i] * Float(function.slope(Double(x.pointer[i]), Double(y.pointer[i])))
        }
        return [dx]
    }
}

/// A `PairFunction` of each pair of elements, broadcast. Gradients are of the output's shape; the tape sums.
struct PairedPointwise: DifferentiableOp {
    static let name = "graph_paired_pointwise"
    let function: PairFunction

    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let (a, b, shape) = stretched(inputs)
        let y = Tensor(uninitialised: shape)
        for i in 0..<y.count { y.mutablePointer[i] = Float(function.value(Double(a.pointer[i]), Double(b.pointer[i]))) }
        return (y, [y])
    }

    func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let (a, b, shape) = stretched(inputs)
        let y = saved[0], dy = gradient.contiguous()
        func chained(_ slope: (Double, Double, Double) -> Double) -> Tensor {
            let result = Tensor(uninitialised: shape)
            for i in 0..<y.count {
                result.mutablePointer[i] =
                    dy.pointer[i] * Float(slope(Double(a.pointer[i]), Double(b.pointer[i]), Double(y.pointer[i])))
            }
            return result
        }
        return [needs[0] ? chained(function.slopeA) : nil, needs[1] ? chained(function.slopeB) : nil]
    }

    private func stretched(_ inputs: [Tensor]) -> (Tensor, Tensor, Shape) {
        guard let shape = inputs[0].shape.broadcast(with: inputs[1].shape) else {
            preconditionFailure("\(Self.name): \(inputs[0].shape) and \(inputs[1].shape)")
        }
        return (inputs[0].expandedView(shape).contiguous(), inputs[1].expandedView(shape).contiguous(), shape)
    }
}

extension Call {
    /// `function` of each element of a float value.
    func map(_ x: GraphValue, _ function: PointFunction) throws -> GraphValue {
        try reserve(x.shape, x.type)
        switch x.content {
        case .float(let tensor):
            return GraphValue(function.core.map { $0(tensor) } ?? Pointwise(function: function)(tensor))
        case .real(let values): return GraphValue(x.type, x.shape, .real(x.type.narrowed(values.map(function.value))))
        case .absent: return x
        default: throw error(.typeMismatch, "\(x.type.rawValue) is not a float type; cast it first")
        }
    }

    /// `function` of each pair of elements of two float values, broadcast.
    func combine(_ a: GraphValue, _ b: GraphValue, _ function: PairFunction) throws -> GraphValue {
        let shape = try broadcast([a.shape, b.shape]), count = try reserve(shape, a.type)
        if a.isAbsent || b.isAbsent { return .absent(a.type, shape) }
        switch (a.content, b.content) {
        case (.float(let x), .float(let y)):
            return GraphValue(function.core.map { $0(x, y) } ?? PairedPointwise(function: function)(x, y))
        case (.real(let x), .real(let y)):
            return GraphValue(
                a.type, shape,
                .real(a.type.narrowed(pairs(x, a.shape, y, b.shape, shape, count: count, function.value))))
        default:
            throw error(.typeMismatch, "\(a.type.rawValue) and \(b.type.rawValue) cannot be combined; cast one of them")
        }
    }

    /// A function of two numbers of any type.
    func combine(
        _ a: GraphValue, _ b: GraphValue, floats: PairFunction, signed: (Int64, Int64) throws -> Int64,
        unsigned: (UInt64, UInt64) throws -> UInt64
    ) throws -> GraphValue {
        if a.type.isFloat { return try combine(a, b, floats) }
        let shape = try broadcast([a.shape, b.shape]), count = try reserve(shape, a.type)
        if a.isAbsent || b.isAbsent { return .absent(a.type, shape) }
        switch (a.content, b.content) {
        case (.signed(let x), .signed(let y)):
            return GraphValue(
                a.type, shape,
                .signed(try pairs(x, a.shape, y, b.shape, shape, count: count) { a.type.wrap(try signed($0, $1)) }))
        case (.unsigned(let x), .unsigned(let y)):
            return GraphValue(
                a.type, shape,
                .unsigned(try pairs(x, a.shape, y, b.shape, shape, count: count) { a.type.wrap(try unsigned($0, $1)) }))
        default:
            throw error(.typeMismatch, "\(a.type.rawValue) and \(b.type.rawValue) cannot be combined; cast one of them")
        }
    }

    /// A value of `type` with the same number everywhere.
    func filled(_ type: ElementType, _ shape: [Int], _ number: Double) throws -> GraphValue {
        let count = try reserve(shape, type)
        switch type {
        case .float32: return GraphValue(Tensor(repeating: Float(number), Shape(shape)))
        case .float64, .float16, .bfloat16:
            return GraphValue(type, shape, .real([Double](repeating: type.round(number), count: count)))
        case .bool: return GraphValue(type, shape, .truth([Bool](repeating: number != 0, count: count)))
        default:
            let content: GraphValue.Content =
                type.isSigned
                ? .signed([Int64](repeating: Int64(number), count: count))
                : .unsigned([UInt64](repeating: UInt64(number), count: count))
            return GraphValue(type, shape, content)
        }
    }

    // MARK: Shorthand for formulas

    func scalar(_ number: Double, like x: GraphValue) throws -> GraphValue { try filled(x.type, [], number) }
    func add(_ a: GraphValue, _ b: GraphValue) throws -> GraphValue { try combine(a, b, .sum) }
    func subtract(_ a: GraphValue, _ b: GraphValue) throws -> GraphValue { try combine(a, b, .difference) }
    func multiply(_ a: GraphValue, _ b: GraphValue) throws -> GraphValue { try combine(a, b, .product) }
    func divide(_ a: GraphValue, _ b: GraphValue) throws -> GraphValue { try combine(a, b, .quotient) }
    func scale(_ a: GraphValue, _ factor: Double) throws -> GraphValue { try multiply(a, scalar(factor, like: a)) }
    func shift(_ a: GraphValue, _ offset: Double) throws -> GraphValue { try add(a, scalar(offset, like: a)) }
    func power(_ a: GraphValue, _ exponent: Double) throws -> GraphValue {
        try combine(a, scalar(exponent, like: a), .power)
    }
}
