import Glibc
import TensorCore

extension PairFunction {
    static var sum: PairFunction {
        PairFunction(core: { Add()($0, $1) }, +, slopeA: { _, _, _ in 1 }, slopeB: { _, _, _ in 1 })
    }
    static var difference: PairFunction {
        PairFunction(core: { Subtract()($0, $1) }, -, slopeA: { _, _, _ in 1 }, slopeB: { _, _, _ in -1 })
    }
    static var product: PairFunction {
        PairFunction(core: { Multiply()($0, $1) }, *, slopeA: { _, b, _ in b }, slopeB: { a, _, _ in a })
    }
    static var quotient: PairFunction {
        PairFunction(core: { Divide()($0, $1) }, /, slopeA: { _, b, _ in 1 / b }, slopeB: { _, b, y in -y / b })
    }
    /// `aᵇ`; the slope along b is 0 where a is 0, as in PyTorch.
    static var power: PairFunction {
        PairFunction(
            pow, slopeA: { a, b, _ in b == 0 ? 0 : b * pow(a, b - 1) }, slopeB: { a, _, y in a == 0 ? 0 : y * log(a) })
    }
    /// The larger; NaN if either is. Equals share the gradient.
    static var maximum: PairFunction {
        PairFunction(
            { a, b in a.isNaN || b.isNaN ? .nan : max(a, b) }, slopeA: { a, b, _ in a > b ? 1 : a == b ? 0.5 : 0 },
            slopeB: { a, b, _ in b > a ? 1 : a == b ? 0.5 : 0 })
    }
    static var minimum: PairFunction {
        PairFunction(
            { a, b in a.isNaN || b.isNaN ? .nan : min(a, b) }, slopeA: { a, b, _ in a < b ? 1 : a == b ? 0.5 : 0 },
            slopeB: { a, b, _ in b < a ? 1 : a == b ? 0.5 : 0 })
    }
}

extension PointFunction {
    static var exponential: PointFunction { PointFunction(core: { Exponential()($0) }, exp) { _, y in y } }
    static var logarithm: PointFunction { PointFunction(core: { Logarithm()($0) }, log) { x, _ in 1 / x } }
    static var squareRoot: PointFunction {
        PointFunction(core: { SquareRoot()($0) }, { $0.squareRoot() }) { _, y in 0.5 / y }
    }
    static var reciprocal: PointFunction { PointFunction(core: { Reciprocal()($0) }, { 1 / $0 }) { _, y in -y * y } }
    static var negation: PointFunction { PointFunction(core: { Negate()($0) }, { -$0 }) { _, _ in -1 } }
    static var magnitude: PointFunction { PointFunction({ abs($0) }) { x, _ in x > 0 ? 1 : x < 0 ? -1 : x } }
    static var square: PointFunction { PointFunction({ $0 * $0 }) { x, _ in 2 * x } }
    static var tangentH: PointFunction { PointFunction(core: { Tanh()($0) }, tanh) { _, y in 1 - y * y } }
    static var sigmoid: PointFunction { PointFunction(core: { Sigmoid()($0) }, logistic) { _, y in y * (1 - y) } }
    static var relu: PointFunction {
        PointFunction(core: { ReLU()($0) }, { $0 <= 0 ? 0 : $0 }) { x, _ in x <= 0 ? 0 : 1 }
    }
    /// A function whose slope is 0 wherever it has one: rounding, sign.
    static func step(_ value: @escaping (Double) -> Double) -> PointFunction { PointFunction(value) { _, _ in 0 } }

    static func logistic(_ x: Double) -> Double {
        if x >= 0 { return 1 / (1 + exp(-x)) }
        let e = exp(x)
        return e / (1 + e)
    }

    /// `log(1 + eˣ)` without overflow.
    static func softplus(_ x: Double) -> Double { x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)) }
    static var softplus: PointFunction { PointFunction(core: { Softplus()($0) }, softplus) { x, _ in logistic(x) } }
}

extension Call {
    func exponential(_ x: GraphValue) throws -> GraphValue { try map(x, .exponential) }
    func logarithm(_ x: GraphValue) throws -> GraphValue { try map(x, .logarithm) }
    func squareRoot(_ x: GraphValue) throws -> GraphValue { try map(x, .squareRoot) }
    func reciprocal(_ x: GraphValue) throws -> GraphValue { try map(x, .reciprocal) }
    func square(_ x: GraphValue) throws -> GraphValue { try multiply(x, x) }
    func negated(_ x: GraphValue) throws -> GraphValue { try map(x, .negation) }
}
