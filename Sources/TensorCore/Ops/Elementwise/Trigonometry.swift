import Glibc

/// Sine of an angle in radians.
package struct Sine: UnaryOp {
    package static let name = "sin"
    package init() {}
    package func value(_ x: Float) -> Float { sinf(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { cosf(x) }
}

/// Cosine of an angle in radians.
package struct Cosine: UnaryOp {
    package static let name = "cos"
    package init() {}
    package func value(_ x: Float) -> Float { cosf(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { -sinf(x) }
}

package struct Tangent: UnaryOp {
    package static let name = "tan"
    package static let keepsOutput = true
    package init() {}
    package func value(_ x: Float) -> Float { tanf(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { 1 + y * y }
}

/// The inverse sine, in radians; NaN outside [−1, 1].
package struct ArcSine: UnaryOp {
    package static let name = "asin"
    package init() {}
    package func value(_ x: Float) -> Float { asinf(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { 1 / (1 - x * x).squareRoot() }
}

/// The inverse cosine, in radians; NaN outside [−1, 1].
package struct ArcCosine: UnaryOp {
    package static let name = "acos"
    package init() {}
    package func value(_ x: Float) -> Float { acosf(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { -1 / (1 - x * x).squareRoot() }
}

/// The inverse tangent, in radians.
package struct ArcTangent: UnaryOp {
    package static let name = "atan"
    package init() {}
    package func value(_ x: Float) -> Float { atanf(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { 1 / (1 + x * x) }
}

package struct HyperbolicSine: UnaryOp {
    package static let name = "sinh"
    package init() {}
    package func value(_ x: Float) -> Float { sinhf(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { coshf(x) }
}

package struct HyperbolicCosine: UnaryOp {
    package static let name = "cosh"
    package init() {}
    package func value(_ x: Float) -> Float { coshf(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { sinhf(x) }
}

package struct AreaSine: UnaryOp {
    package static let name = "asinh"
    package init() {}
    package func value(_ x: Float) -> Float { asinhf(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { 1 / (x * x + 1).squareRoot() }
}

/// NaN below 1.
package struct AreaCosine: UnaryOp {
    package static let name = "acosh"
    package init() {}
    package func value(_ x: Float) -> Float { acoshf(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { 1 / (x * x - 1).squareRoot() }
}

/// NaN outside [−1, 1].
package struct AreaTangent: UnaryOp {
    package static let name = "atanh"
    package init() {}
    package func value(_ x: Float) -> Float { atanhf(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { 1 / (1 - x * x) }
}
