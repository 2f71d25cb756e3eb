import TestSupport

@testable import TensorCore

extension GoldenBuilders {
    static let elementwise: [String: GoldenBuilder] = unary.merging(binary) { first, _ in first }

    private static let binary: [String: GoldenBuilder] = [
        "add": one { Add()(try $0.tensor("a"), try $0.tensor("b")) },
        "sub": one { Subtract()(try $0.tensor("a"), try $0.tensor("b")) },
        "mul": one { Multiply()(try $0.tensor("a"), try $0.tensor("b")) },
        "div": one { Divide()(try $0.tensor("a"), try $0.tensor("b")) },
        "maximum": one { Maximum()(try $0.tensor("a"), try $0.tensor("b")) },
        "minimum": one { Minimum()(try $0.tensor("a"), try $0.tensor("b")) },
        "where": one { Where(try $0.mask("condition"))(try $0.tensor("a"), try $0.tensor("b")) },
        "masked_fill": one {
            MaskedFill(try $0.mask("mask"), value: try $0.attribute("value"))(try $0.tensor("x"))
        },
        "glu_swiglu": one { SwiGLU()(try $0.tensor("gate"), try $0.tensor("up")) },
    ]

    private static let unary: [String: GoldenBuilder] = [
        "pow_scalar": one { ScalarPower(try $0.attribute("exponent"))(try $0.tensor("x")) },
        "clamp": one { Clamp($0.attribute("min"), $0.attribute("max"))(try $0.tensor("x")) },
        "leaky_relu": one { LeakyReLU(alpha: $0.attribute("negative_slope") ?? 0.1)(try $0.tensor("x")) },
        "elu": one { ELU(alpha: $0.attribute("alpha") ?? 1)(try $0.tensor("x")) },
        "dropout": one {
            let rate: Float = try $0.attribute("training") ? try $0.attribute("p") : 0
            return Dropout(rate: rate, seed: 0)(try $0.tensor("x"))
        },
        "neg": one { Negate()(try $0.tensor("x")) },
        "abs": one { AbsoluteValue()(try $0.tensor("x")) },
        "exp": one { Exponential()(try $0.tensor("x")) },
        "log": one { Logarithm()(try $0.tensor("x")) },
        "sqrt": one { SquareRoot()(try $0.tensor("x")) },
        "rsqrt": one { ReciprocalSquareRoot()(try $0.tensor("x")) },
        "sin": one { Sine()(try $0.tensor("x")) },
        "cos": one { Cosine()(try $0.tensor("x")) },
        "erf": one { ErrorFunction()(try $0.tensor("x")) },
        "tanh": one { Tanh()(try $0.tensor("x")) },
        "sigmoid": one { Sigmoid()(try $0.tensor("x")) },
        "relu": one { ReLU()(try $0.tensor("x")) },
        "relu6": one { ReLU6()(try $0.tensor("x")) },
        "softplus": one { Softplus()(try $0.tensor("x")) },
        "gelu_erf": one { GELU()(try $0.tensor("x")) },
        "gelu_tanh": one { TanhGELU()(try $0.tensor("x")) },
        "quick_gelu": one { QuickGELU()(try $0.tensor("x")) },
        "silu": one { SiLU()(try $0.tensor("x")) },
        "hardswish": one { HardSwish()(try $0.tensor("x")) },
        "hardsigmoid": one { HardSigmoid()(try $0.tensor("x")) },
        "mish": one { Mish()(try $0.tensor("x")) },
    ]
}

extension GoldenInputs {
    func mask(_ name: String) throws -> Mask { Mask(try integers(name), try shape(name)) }
    func indices(_ name: String) throws -> Indices { Indices(try integers(name), try shape(name)) }
}
