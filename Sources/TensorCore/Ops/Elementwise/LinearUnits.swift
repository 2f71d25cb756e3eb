import Glibc

/// `min(max(alpha · x + beta, 0), 1)`; PyTorch's is 1/6 and 1/2. The slope is 0 where the result is 0 or 1.
package struct HardSigmoid: UnaryOp {
    package static let name = "hardsigmoid"
    package let alpha: Float, beta: Float

    package init(alpha: Float = 1 / 6, beta: Float = 0.5) {
        self.alpha = alpha
        self.beta = beta
    }

    package func value(_ x: Float) -> Float {
        let y = alpha * x + beta
        return y < 0 ? 0 : y > 1 ? 1 : y
    }
    package func slope(_ x: Float, _ y: Float) -> Float {
        let y = alpha * x + beta
        return y <= 0 || y >= 1 ? 0 : alpha
    }
}

/// `x` above 0 and `alpha · x` below; the slope at 0 is alpha.
package struct LeakyReLU: UnaryOp {
    package static let name = "leaky_relu"
    package let alpha: Float
    package init(alpha: Float = 0.01) { self.alpha = alpha }
    package func value(_ x: Float) -> Float { x > 0 ? x : alpha * x }
    package func slope(_ x: Float, _ y: Float) -> Float { x > 0 ? 1 : alpha }
}

/// `x` above `alpha`, 0 elsewhere.
package struct ThresholdedReLU: UnaryOp {
    package static let name = "thresholded_relu"
    package let alpha: Float
    package init(alpha: Float = 1) { self.alpha = alpha }
    package func value(_ x: Float) -> Float { x <= alpha ? 0 : x }
    package func slope(_ x: Float, _ y: Float) -> Float { x <= alpha ? 0 : 1 }
}

/// `x` above 0 and `alpha · (eˣ − 1)` below (Clevert et al. 2016).
package struct ELU: UnaryOp {
    package static let name = "elu"
    package let alpha: Float
    package init(alpha: Float = 1) { self.alpha = alpha }
    package func value(_ x: Float) -> Float { x > 0 ? x : alpha * expm1f(x) }
    package func slope(_ x: Float, _ y: Float) -> Float { x > 0 ? 1 : alpha * expf(x) }
}

/// `gamma · x` above 0 and `gamma · alpha · (eˣ − 1)` below (Klambauer et al. 2017).
package struct SELU: UnaryOp {
    package static let name = "selu"
    package let alpha: Float, gamma: Float

    package init(alpha: Float = 1.6732632, gamma: Float = 1.050701) {
        self.alpha = alpha
        self.gamma = gamma
    }

    package func value(_ x: Float) -> Float { gamma * (x > 0 ? x : alpha * expm1f(x)) }
    package func slope(_ x: Float, _ y: Float) -> Float { gamma * (x > 0 ? 1 : alpha * expf(x)) }
}

/// `max(x, 0) + min(alpha · (e^(x / alpha) − 1), 0)` (Barron 2017).
package struct CELU: UnaryOp {
    package static let name = "celu"
    package let alpha: Float
    package init(alpha: Float = 1) { self.alpha = alpha }
    package func value(_ x: Float) -> Float { x > 0 ? x : alpha * expm1f(x / alpha) }
    package func slope(_ x: Float, _ y: Float) -> Float { x > 0 ? 1 : expf(x / alpha) }
}

/// `x / (1 + |x|)`
package struct Softsign: UnaryOp {
    package static let name = "softsign"
    package init() {}
    package func value(_ x: Float) -> Float { x / (1 + abs(x)) }
    package func slope(_ x: Float, _ y: Float) -> Float {
        let scale = 1 / (1 + abs(x))
        return scale * scale
    }
}
