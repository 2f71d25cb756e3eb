import Glibc

/// A function of two numbers, element by element with broadcasting, given as a formula.
package protocol BinaryOp: DifferentiableOp {
    func value(_ a: Float, _ b: Float) -> Float
    /// The slope along `a`, and along `b`.
    func slopeOfFirst(_ a: Float, _ b: Float) -> Float
    func slopeOfSecond(_ a: Float, _ b: Float) -> Float
}

extension BinaryOp {
    package static var takesStridedGradient: Bool { true }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (broadcast(Self.name, inputs[0], inputs[1]) { value($0, $1) }, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let a = inputs[0], b = inputs[1]
        return [
            needs[0] ? broadcast(Self.name, gradient, a, b) { $0 * slopeOfFirst($1, $2) } : nil,
            needs[1] ? broadcast(Self.name, gradient, a, b) { $0 * slopeOfSecond($1, $2) } : nil,
        ]
    }
}

/// `a` to the power `b`.
package struct Power: BinaryOp {
    package static let name = "pow"
    package init() {}
    package func value(_ a: Float, _ b: Float) -> Float { power(a, b) }
    /// `b · a^(b − 1)`; 0 for an exponent of 0.
    package func slopeOfFirst(_ a: Float, _ b: Float) -> Float { b == 0 ? 0 : b * power(a, b - 1) }
    /// `a^b · ln a`; 0 where a is 0 and b not negative.
    package func slopeOfSecond(_ a: Float, _ b: Float) -> Float { a == 0 && b >= 0 ? 0 : power(a, b) * logf(a) }
}

/// `x` above 0 and `slope · x` below (He et al. 2015). Inputs: x, slope (broadcast).
package struct PReLU: BinaryOp {
    package static let name = "prelu"
    package init() {}
    package func value(_ a: Float, _ b: Float) -> Float { a > 0 ? a : a * b }
    package func slopeOfFirst(_ a: Float, _ b: Float) -> Float { a > 0 ? 1 : b }
    package func slopeOfSecond(_ a: Float, _ b: Float) -> Float { a > 0 ? 0 : a }
}

/// `silu(gate) · up` (Shazeer 2020). Inputs: gate, up.
package struct SwiGLU: BinaryOp {
    package static let name = "glu_swiglu"
    package init() {}
    package func value(_ a: Float, _ b: Float) -> Float { a / (1 + expf(-a)) * b }
    package func slopeOfFirst(_ a: Float, _ b: Float) -> Float {
        let s = 1 / (1 + expf(-a))
        return s * (1 + a * (1 - s)) * b
    }
    package func slopeOfSecond(_ a: Float, _ b: Float) -> Float { a / (1 + expf(-a)) }
}
