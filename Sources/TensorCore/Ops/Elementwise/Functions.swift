package import CKernels
import Glibc

/// `eˣ`
package struct Exponential: KernelUnaryOp {
    package static let name = "exp"
    package static let kernel = ck_map_exp
    package init() {}
}

/// `ln x`; −∞ at 0, NaN below.
package struct Logarithm: KernelUnaryOp {
    package static let name = "log"
    package static let kernel = ck_map_log
    package init() {}
}

/// `√x`
package struct SquareRoot: KernelUnaryOp {
    package static let name = "sqrt"
    package static let kernel = ck_map_sqrt
    package init() {}
}

/// `2/√π · ∫₀ˣ e^(−t²) dt`
package struct ErrorFunction: KernelUnaryOp {
    package static let name = "erf"
    package static let kernel = ck_map_erf
    package init() {}
}

/// `−x`
package struct Negate: UnaryOp {
    package static let name = "neg"
    package init() {}
    package func value(_ x: Float) -> Float { -x }
    package func slope(_ x: Float, _ y: Float) -> Float { -1 }
}

/// `|x|`; the slope at 0 is 0.
package struct AbsoluteValue: UnaryOp {
    package static let name = "abs"
    package init() {}
    package func value(_ x: Float) -> Float { abs(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { x > 0 ? 1 : x < 0 ? -1 : x }
}

/// `1 / √x`
package struct ReciprocalSquareRoot: UnaryOp {
    package static let name = "rsqrt"
    package static let keepsOutput = true
    package init() {}
    package func value(_ x: Float) -> Float { 1 / x.squareRoot() }
    package func slope(_ x: Float, _ y: Float) -> Float { -0.5 * y * y * y }
}

/// `1 / x`
package struct Reciprocal: UnaryOp {
    package static let name = "reciprocal"
    package static let keepsOutput = true
    package init() {}
    package func value(_ x: Float) -> Float { 1 / x }
    package func slope(_ x: Float, _ y: Float) -> Float { -y * y }
}

/// `x` to a constant power.
package struct ScalarPower: UnaryOp {
    package static let name = "pow_scalar"
    package let exponent: Float
    package init(_ exponent: Float) { self.exponent = exponent }
    package func value(_ x: Float) -> Float { power(x, exponent) }
    /// `exponent · x^(exponent − 1)`; 0 everywhere for an exponent of 0.
    package func slope(_ x: Float, _ y: Float) -> Float { exponent == 0 ? 0 : exponent * power(x, exponent - 1) }
}

/// `powf`, with the exponents that need none of it done exactly.
func power(_ x: Float, _ exponent: Float) -> Float {
    switch exponent {
    case 0: 1
    case 1: x
    case 2: x * x
    case 3: x * x * x
    default: powf(x, exponent)
    }
}

/// `min(max(x, low), high)`; the slope is 1 from low to high inclusive, and 0 outside.
package struct Clamp: UnaryOp {
    package static let name = "clamp"
    package let low: Float, high: Float

    package init(_ low: Float? = nil, _ high: Float? = nil) {
        self.low = low ?? -.infinity
        self.high = high ?? .infinity
    }

    package func value(_ x: Float) -> Float {
        let raised = x < low ? low : x
        return raised > high ? high : raised
    }
    package func slope(_ x: Float, _ y: Float) -> Float { x >= low && x <= high ? 1 : 0 }
}

package struct Floor: StepOp {
    package static let name = "floor"
    package init() {}
    package func value(_ x: Float) -> Float { x.rounded(.down) }
}

package struct Ceiling: StepOp {
    package static let name = "ceil"
    package init() {}
    package func value(_ x: Float) -> Float { x.rounded(.up) }
}

/// The nearest whole number, halves to the even one.
package struct Round: StepOp {
    package static let name = "round"
    package init() {}
    package func value(_ x: Float) -> Float { x.rounded(.toNearestOrEven) }
}

/// −1, 0 or 1; NaN stays NaN.
package struct Sign: StepOp {
    package static let name = "sign"
    package init() {}
    package func value(_ x: Float) -> Float { x > 0 ? 1 : x < 0 ? -1 : x }
}
