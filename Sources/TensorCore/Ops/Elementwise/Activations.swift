package import CKernels
import Glibc

/// `gelu(x) = x/2 · (1 + erf(x/√2))` (Hendrycks & Gimpel 2016, the exact form).
package struct GELU: KernelUnaryOp {
    package static let name = "gelu_erf"
    package static let kernel = ck_map_gelu_erf
    package init() {}
}

/// `x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`, GELU as GPT-2 approximates it.
package struct TanhGELU: KernelUnaryOp {
    package static let name = "gelu_tanh"
    package static let kernel = ck_map_gelu_tanh
    package init() {}
}

/// `x · sigmoid(1.702 x)`, GELU as CLIP approximates it.
package struct QuickGELU: KernelUnaryOp {
    package static let name = "quick_gelu"
    package static let kernel = ck_map_quick_gelu
    package init() {}
}

/// `max(x, 0)`; the slope at 0 is 0, and NaN stays NaN.
package struct ReLU: KernelUnaryOp {
    package static let name = "relu"
    package static let kernel = ck_map_relu
    package init() {}
}

/// `min(max(x, 0), 6)`; the slope at 0 and at 6 is 0.
package struct ReLU6: KernelUnaryOp {
    package static let name = "relu6"
    package static let kernel = ck_map_relu6
    package init() {}
}

package struct Tanh: KernelUnaryOp {
    package static let name = "tanh"
    package static let kernel = ck_map_tanh
    package init() {}
}

/// `1 / (1 + e^−x)`
package struct Sigmoid: KernelUnaryOp {
    package static let name = "sigmoid"
    package static let kernel = ck_map_sigmoid
    package init() {}

    /// One number's, for losses.
    static func value(_ x: Float) -> Float {
        if x >= 0 { return 1 / (1 + expf(-x)) }
        let e = expf(x)
        return e / (1 + e)
    }
}

/// `x · sigmoid(x)` (Elfwing et al. 2018), also called swish.
package struct SiLU: KernelUnaryOp {
    package static let name = "silu"
    package static let kernel = ck_map_silu
    package init() {}
}

/// `ln(1 + eˣ)`; the identity above 20.
package struct Softplus: KernelUnaryOp {
    package static let name = "softplus"
    package static let kernel = ck_map_softplus
    package init() {}
}

/// `x · tanh(softplus(x))` (Misra 2019).
package struct Mish: KernelUnaryOp {
    package static let name = "mish"
    package static let kernel = ck_map_mish
    package init() {}
}

/// `x · relu6(x + 3) / 6` (Howard et al. 2019); the slope is 0 at −3 and below, 1 at 3 and above.
package struct HardSwish: KernelUnaryOp {
    package static let name = "hardswish"
    package static let kernel = ck_map_hard_swish
    package init() {}
}
