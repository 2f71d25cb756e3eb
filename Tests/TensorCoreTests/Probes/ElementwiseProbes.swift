@testable import TensorCore

extension Probes {
    static let elementwise: [String: @Sendable () -> [Probe]] = binary.merging(unary) { first, _ in first }

    private static let binary: [String: @Sendable () -> [Probe]] = [
        Add.name: {
            [
                Probe(Add(), [numbers([3, 4], 1), numbers([4], 2)]),
                Probe(Add(), [numbers([2, 1, 3], 1), numbers([4, 1], 2)]),
                Probe(Add(), [numbers([2, 3], 1), numbers([], 2)]),
            ]
        },
        Subtract.name: {
            [
                Probe(Subtract(), [numbers([3, 4], 1), numbers([3, 1], 2)]),
                Probe(Subtract(), [numbers([4, 1], 1), numbers([2, 1, 3], 2)]),
            ]
        },
        Multiply.name: {
            [
                Probe(Multiply(), [numbers([3, 4], 1), numbers([4], 2)]),
                Probe(Multiply(), [numbers([2, 5, 3], 1), numbers([5, 1], 2)]),
            ]
        },
        Divide.name: { [Probe(Divide(), [numbers([3, 4], 1), numbers([1, 4], 2, scale: 0.5, shift: 2)])] },
        Power.name: {
            [Probe(Power(), [numbers([3, 4], 1, scale: 0.5, shift: 1.5), numbers([3, 1], 2, scale: 2)])]
        },
        Maximum.name: {
            [
                Probe(Maximum(), apart(3, [4, 5])),
                Probe(Maximum(), [numbers([4, 5], 1)]),
                Probe(Maximum(), [numbers([3, 4], 1), numbers([4], 2, shift: 4), numbers([3, 1], 3, shift: -4)]),
            ]
        },
        Minimum.name: { [Probe(Minimum(), apart(2, [4, 5]))] },
        Where.name: {
            let condition = Mask([true, false, false, true], [4])
            return [Probe(Where(condition), [numbers([3, 4], 1), numbers([3, 1], 2)])]
        },
        MaskedFill.name: {
            [Probe(MaskedFill(Mask([true, false, true], [3, 1]), value: -2), [numbers([3, 4], 1)])]
        },
        Dropout.name: {
            [
                Probe(Dropout(rate: 0.4, seed: 7), [numbers([5, 7], 1)]),
                Probe(Dropout(rate: 0, seed: 7), [numbers([5, 7], 1)]),
            ]
        },
        PReLU.name: { [Probe(PReLU(), [away([3, 4], from: [0]), numbers([4], 2)])] },
        SwiGLU.name: { [Probe(SwiGLU(), [numbers([3, 4], 1, scale: 3), numbers([3, 4], 2)])] },
    ]

    private static let unary: [String: @Sendable () -> [Probe]] = [
        Negate.name: { smooth(Negate()) },
        AbsoluteValue.name: { [Probe(AbsoluteValue(), [away([5, 7], from: [0])])] },
        Reciprocal.name: { positive(Reciprocal()) },
        SquareRoot.name: { positive(SquareRoot()) },
        ReciprocalSquareRoot.name: { positive(ReciprocalSquareRoot()) },
        ScalarPower.name: {
            positive(ScalarPower(-1.5)) + positive(ScalarPower(0.5)) + positive(ScalarPower(0))
                + [Probe(ScalarPower(2), [numbers([5, 7], 1)]), Probe(ScalarPower(3), [numbers([5, 7], 1)])]
        },
        Exponential.name: { smooth(Exponential()) },
        Logarithm.name: { positive(Logarithm()) },
        ErrorFunction.name: { smooth(ErrorFunction()) },
        Clamp.name: {
            [
                Probe(Clamp(-0.5, 0.7), [away([5, 7], from: [-0.5, 0.7])]),
                Probe(Clamp(nil, 0.7), [away([5, 7], from: [0.7])]),
            ]
        },
        Floor.name: { [Probe(Floor(), [away([5, 7], from: [-2, -1, 0, 1, 2], scale: 2)])] },
        Ceiling.name: { [Probe(Ceiling(), [away([5, 7], from: [-2, -1, 0, 1, 2], scale: 2)])] },
        Round.name: { [Probe(Round(), [away([5, 7], from: [-1.5, -0.5, 0.5, 1.5], scale: 2)])] },
        Sign.name: { [Probe(Sign(), [away([5, 7], from: [0])])] },
        Sine.name: { smooth(Sine()) },
        Cosine.name: { smooth(Cosine()) },
        Tangent.name: { [Probe(Tangent(), [numbers([5, 7], 1)])] },
        ArcSine.name: { [Probe(ArcSine(), [numbers([5, 7], 1, scale: 0.7)])] },
        ArcCosine.name: { [Probe(ArcCosine(), [numbers([5, 7], 1, scale: 0.7)])] },
        ArcTangent.name: { smooth(ArcTangent()) },
        HyperbolicSine.name: { smooth(HyperbolicSine()) },
        HyperbolicCosine.name: { smooth(HyperbolicCosine()) },
        Tanh.name: { smooth(Tanh()) },
        AreaSine.name: { smooth(AreaSine()) },
        AreaCosine.name: { [Probe(AreaCosine(), [numbers([5, 7], 1, shift: 3)])] },
        AreaTangent.name: { [Probe(AreaTangent(), [numbers([5, 7], 1, scale: 0.7)])] },
        ReLU.name: { [Probe(ReLU(), [away([5, 7], from: [0])])] },
        ReLU6.name: { [Probe(ReLU6(), [away([5, 7], from: [0, 6], scale: 8)])] },
        LeakyReLU.name: { [Probe(LeakyReLU(alpha: 0.2), [away([5, 7], from: [0])])] },
        ThresholdedReLU.name: { [Probe(ThresholdedReLU(alpha: 0.5), [away([5, 7], from: [0.5])])] },
        ELU.name: { [Probe(ELU(alpha: 1.5), [away([5, 7], from: [0], scale: 2)])] },
        SELU.name: { [Probe(SELU(), [away([5, 7], from: [0], scale: 2)])] },
        CELU.name: { [Probe(CELU(alpha: 0.7), [away([5, 7], from: [0], scale: 2)])] },
        Softplus.name: { smooth(Softplus()) },
        Softsign.name: { [Probe(Softsign(), [away([5, 7], from: [0], scale: 2)])] },
        Sigmoid.name: { smooth(Sigmoid()) },
        HardSigmoid.name: {
            [
                Probe(HardSigmoid(), [away([5, 7], from: [-3, 3], scale: 5)]),
                Probe(HardSigmoid(alpha: 0.2, beta: 0.4), [away([5, 7], from: [-2, 3], scale: 5)]),
            ]
        },
        GELU.name: { smooth(GELU()) },
        TanhGELU.name: { smooth(TanhGELU()) },
        QuickGELU.name: { smooth(QuickGELU()) },
        SiLU.name: { smooth(SiLU()) },
        HardSwish.name: { [Probe(HardSwish(), [away([5, 7], from: [-3, 3], scale: 5)])] },
        Mish.name: { smooth(Mish()) },
    ]

    private static func smooth(_ op: any DifferentiableOp) -> [Probe] {
        [
            Probe(op, [numbers([5, 7], 1, scale: 2.5)]), Probe(op, [numbers([2, 3, 4], 2)]),
            Probe(op, [numbers([], 3)]),
        ]
    }

    private static func positive(_ op: any DifferentiableOp) -> [Probe] {
        [Probe(op, [numbers([5, 7], 1, scale: 0.9, shift: 1.8)])]
    }

    /// Numbers that keep a distance of the stencil's reach from the kinks.
    private static func away(_ shape: Shape, from kinks: [Float], scale: Float = 1) -> Tensor {
        numbers(shape, 1, scale: scale).map { x in
            kinks.reduce(x) { abs($0 - $1) < 0.08 ? $1 + 0.15 : $0 }
        }
    }

    /// Tensors whose elements at one place are never close to each other.
    private static func apart(_ count: Int, _ shape: Shape) -> [Tensor] {
        (0..<count).map { index in
            Tensor(
                (0..<shape.count).map {
                    Float(($0 + index) % count) + numbers([], UInt64($0 * 7 + index + 1)).scalar * 0.3
                },
                shape)
        }
    }
}
