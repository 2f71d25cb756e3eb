import Testing

@testable import TensorCore

@Suite("Views, empty tensors and numbers that are none")
struct RobustnessTests {
    /// The values of a tensor in other layouts of memory.
    static let layouts: [(name: String, change: @Sendable (Tensor) -> Tensor)] = [
        (
            "every axis backwards",
            { x in
                let axes = Array(0..<x.rank)
                return Flip(axes)(Flip(axes)(x).contiguous())
            }
        ),
        (
            "every second element of a larger tensor",
            { x in
                let larger = Tensor(repeating: .nan, Shape(x.shape.dimensions.map { 2 * $0 + 1 }))
                let view = (0..<x.rank).reduce(larger) { $0.slicedView(AxisSlice(axis: $1, 1, nil, step: 2)) }
                copy(x, to: view)
                return view
            }
        ),
        (
            "rows inside a wider matrix",
            { x in
                guard x.rank > 0 else { return x }
                let wider = Tensor(repeating: .nan, Shape(x.shape.dimensions.dropLast() + [x.shape.last + 3]))
                let view = wider.slicedView(AxisSlice(axis: -1, 2, 2 + x.shape.last))
                copy(x, to: view)
                return view
            }
        ),
    ]

    @Test(
        "a view gives the values and gradients of its dense copy", arguments: OpRegistry.differentiable.map { $0.name })
    func viewsEqualCopies(_ name: String) {
        for (number, probe) in Probes.of(name).enumerated() {
            let (output, gradients) = run(probe, { $0 })
            for layout in Self.layouts {
                let (viewed, viewedGradients) = run(probe, layout.change)
                #expect(viewed.shape == output.shape)
                for (a, e) in zip([viewed] + viewedGradients, [output] + gradients) {
                    let worst = zip(a.values, e.values).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
                    #expect(worst <= 1e-5, "\(name) probe \(number), \(layout.name): off by \(worst)")
                }
            }
        }
    }

    private func run(_ probe: Probe, _ layout: (Tensor) -> Tensor) -> (Tensor, [Tensor]) {
        let leaves = probe.inputs.map { layout($0).tracked }
        let output = probe.op.apply(leaves)
        return (output, output.gradients(for: leaves, from: layout(numbers(output.shape, 3))))
    }

    /// An op, its inputs' shapes with a dimension of zero, and the result's shape.
    static var empty: [(op: any DifferentiableOp, inputs: [Shape], output: Shape)] {
        (Elementwise.unary + [Softmax(), LogSoftmax(), LayerNormalisation(eps: 1e-5), RMSNormalisation(eps: 1e-5)]).map
        {
            ($0, [[0, 4]], [0, 4])
        } + [
            (Softmax(), [[3, 0]], [3, 0]), (Softmax(axis: 0), [[0, 4]], [0, 4]),
            (L2Normalisation(), [[3, 0]], [3, 0]),
            (L2Normalisation(axis: 0), [[3, 0]], [3, 0]), (LogSoftmax(axis: 0), [[0, 4]], [0, 4]),
            (Add(), [[0, 4], [4]], [0, 4]), (Multiply(), [[2, 0, 3], [2, 1, 3]], [2, 0, 3]),
            (Divide(), [[0], [1]], [0]), (Subtract(), [[1], [0]], [0]), (Maximum(), [[0, 2], [2]], [0, 2]),
            (Power(), [[0, 2], [2]], [0, 2]), (SwiGLU(), [[0, 2], [0, 2]], [0, 2]),
            (Where(Mask([true, false], [2])), [[0, 2], [0, 2]], [0, 2]),
            (MaskedFill(Mask([true, false], [2]), value: 1), [[0, 2]], [0, 2]),
            (Dropout(rate: 0.5, seed: 1), [[0, 2]], [0, 2]),
            (Sum([0]), [[0, 4]], [4]), (Sum(), [[0, 4]], []), (Sum([1]), [[0, 4]], [0]), (Mean([1]), [[0, 4]], [0]),
            (Product([0]), [[0, 4]], [4]), (LogSumExp([1]), [[3, 0]], [3]), (L2Norm([1]), [[3, 0]], [3]),
            (Largest([1]), [[0, 4]], [0]), (LargestAlongAxis(1), [[0, 4]], [0]), (TopK(0), [[3, 0]], [3, 0]),
            (CumulativeSum(0), [[0, 4]], [0, 4]), (Variance([1]), [[0, 4]], [0]),
            (MatrixProduct(), [[0, 4], [4, 2]], [0, 2]), (MatrixProduct(), [[3, 0], [0, 2]], [3, 2]),
            (MatrixProduct(), [[0, 3, 4], [0, 4, 2]], [0, 3, 2]),
            (MatrixProduct(), [[2, 3, 0], [2, 0, 2]], [2, 3, 2]),
            (MatrixProduct(), [[3, 4], [4, 0]], [3, 0]), (LinearProduct(), [[2, 0, 4], [3, 4], [3]], [2, 0, 3]),
            (LinearProduct(), [[2, 0], [3, 0], [3]], [2, 3]),
            (Reshape([4, 0]), [[0, 3]], [4, 0]), (Permute([1, 0]), [[0, 3]], [3, 0]),
            (Expand([0, 3]), [[1, 3]], [0, 3]),
            (Tile([2, 0]), [[2, 3]], [4, 0]), (Slice(axis: 0, 2, 2), [[3, 2]], [0, 2]), (Flip([0]), [[0, 2]], [0, 2]),
            (Slice(axis: 0, step: -1), [[0, 2]], [0, 2]),
            (Concatenate(axis: 0), [[0, 2], [3, 2], [0, 2]], [3, 2]), (Stack(axis: 1), [[0, 2], [0, 2]], [0, 2, 2]),
            (Embedding([]), [[5, 3]], [0, 3]), (Gather(axis: 0, Indices([], [0, 2])), [[3, 2]], [0, 2]),
            (IndexSelect(axis: 1, Indices([])), [[3, 2]], [3, 0]),
            (IndexSelect(axis: 0, Indices([1])), [[3, 0]], [1, 0]),
            (GatherBlocks(Indices([], [0, 1])), [[3, 2]], [0, 2]),
            (Scatter(axis: 0, Indices([], [0, 2]), mode: .add), [[3, 2], [0, 2]], [3, 2]),
            (ScatterBlocks(Indices([], [0, 1]), mode: .set), [[3, 2], [0, 2]], [3, 2]),
            (Triangle(upper: true), [[2, 0, 3]], [2, 0, 3]), (Diagonal(0, 1), [[0, 0, 2]], [0, 2]),
            (Attention(), [[2, 2, 0, 4], [2, 2, 3, 4], [2, 2, 3, 4]], [2, 2, 0, 4]),
            (Attention(), [[2, 2, 3, 4], [2, 2, 0, 4], [2, 2, 0, 5]], [2, 2, 3, 5]),
            (Attention(causal: true), [[0, 2, 3, 4], [0, 2, 3, 4], [0, 2, 3, 4]], [0, 2, 3, 4]),
            (RotaryEmbedding(positions: []), [[2, 0, 4]], [2, 0, 4]),
        ]
    }

    @Test("empty tensors pass through forward and backward", arguments: empty.indices)
    func emptyTensors(_ index: Int) {
        let (op, shapes, expected) = Self.empty[index]
        let leaves = shapes.enumerated().map { numbers($0.element, UInt64($0.offset + 1)).tracked }
        let output = op.apply(leaves)
        #expect(output.shape == expected, "\(type(of: op).name) of \(shapes)")
        #expect(output.values.allSatisfy { !$0.isNaN }, "\(type(of: op).name) of \(shapes): \(output.values)")
        let gradients = output.gradients(for: leaves, from: Tensor(repeating: 1, output.shape))
        #expect(gradients.map(\.shape) == shapes, "\(type(of: op).name) of \(shapes)")
        #expect(gradients.allSatisfy { $0.values.allSatisfy { !$0.isNaN } }, "\(type(of: op).name) of \(shapes)")
    }

    @Test("the mean of nothing is not a number")
    func meanOfNothing() {
        #expect(Mean()(Tensor([], [0])).scalar.isNaN)
        #expect(Variance()(Tensor([1], [1])).scalar.isNaN)
        #expect(LogSumExp()(Tensor([], [0])).scalar == -.infinity)
        #expect(Product()(Tensor([], [0])).scalar == 1)
    }

    @Test("NaN stays NaN in every function of one number", arguments: Elementwise.unary.indices)
    func unaryNaN(_ index: Int) {
        let op = Elementwise.unary[index]
        // At the end of a vector register, and in the rest after it.
        for place in [0, 15, 16, 18] {
            var values = [Float](repeating: 0.5, count: 19)
            values[place] = .nan
            let output = op.apply([Tensor(values, [19])]).values
            #expect(output[place].isNaN, "\(type(of: op).name) of NaN: \(output[place])")
            #expect(output.filter(\.isNaN).count == 1, "\(type(of: op).name) spreads NaN")
        }
    }

    @Test("infinities go where the function's limits are")
    func infinities() {
        let limits: [(op: any DifferentiableOp, low: Float, high: Float)] = [
            (Exponential(), 0, .infinity), (Logarithm(), .nan, .infinity), (SquareRoot(), .nan, .infinity),
            (Tanh(), -1, 1), (Sigmoid(), 0, 1), (ErrorFunction(), -1, 1), (ReLU(), 0, .infinity), (ReLU6(), 0, 6),
            (Softplus(), 0, .infinity), (ELU(), -1, .infinity), (HardSigmoid(), 0, 1), (Reciprocal(), -0.0, 0),
            (ReciprocalSquareRoot(), .nan, 0), (Clamp(-2, 3), -2, 3), (AbsoluteValue(), .infinity, .infinity),
            (Negate(), .infinity, -.infinity), (LeakyReLU(), -.infinity, .infinity), (Sign(), -1, 1),
            (ArcTangent(), -.pi / 2, .pi / 2), (Floor(), -.infinity, .infinity), (Sine(), .nan, .nan),
        ]
        for (op, low, high) in limits {
            let values = op.apply([Tensor([-.infinity, .infinity], [2])]).values
            for (actual, expected) in zip(values, [low, high]) {
                #expect(
                    actual == expected || (actual.isNaN && expected.isNaN) || abs(actual - expected) < 1e-6,
                    "\(type(of: op).name): \(values), expected \([low, high])")
            }
        }
    }

    @Test("large numbers do not overflow on the way, nor do their slopes")
    func largeNumbers() {
        let ops: [(any DifferentiableOp, Float, Float)] = [
            (SiLU(), -0.0, 1e30), (QuickGELU(), -0.0, 1e30), (TanhGELU(), -0.0, 1e30), (GELU(), -0.0, 1e30),
            (Mish(), -0.0, 1e30), (Softplus(), 0, 1e30), (Sigmoid(), 0, 1), (Tanh(), -1, 1), (HardSwish(), -0.0, 1e30),
        ]
        for (op, low, high) in ops {
            let x = Tensor([-1e30, 1e30], [2]).tracked, y = op.apply([x])
            #expect(abs(y.values[0] - low) < 1e-6 && y.values[1] == high, "\(type(of: op).name): \(y.values)")
            let slopes = Sum()(y).gradients(for: [x])[0].values
            #expect(slopes.allSatisfy { $0 == 0 || abs($0 - 1) < 1e-6 }, "\(type(of: op).name): slopes \(slopes)")
        }
    }

    @Test("NaN in one row reaches that row's result and no other")
    func rowsKeepTheirNaN() {
        let x = Tensor([1, 2, 3, 4, .nan, 6], [2, 3])
        let reductions: [any DifferentiableOp] = [
            Sum([1]), Mean([1]), Variance([1]), Product([1]), LogSumExp([1]), L1Norm([1]), L2Norm([1]),
            SumOfSquares([1]),
            Largest([1]), Smallest([1]), LargestAlongAxis(1), SmallestAlongAxis(1), TopK(1), Softmax(), LogSoftmax(),
            LayerNormalisation(eps: 1e-5), RMSNormalisation(eps: 1e-5), L2Normalisation(), CumulativeSum(1),
        ]
        for op in reductions {
            let y = op.apply([x])
            let values = y.values, half = y.count / 2
            #expect(values[..<half].allSatisfy { !$0.isNaN }, "\(type(of: op).name): \(values)")
            #expect(values[half...].contains { $0.isNaN }, "\(type(of: op).name): \(values)")
        }
        #expect(x.positionsOfLargest(along: 1) == [2, 1])
        #expect(x.positionsOfSmallest(along: 1) == [0, 1])
    }

    @Test("NaN in either operand reaches the result", arguments: [0, 1])
    func binaryNaN(_ operand: Int) {
        let ops: [any DifferentiableOp] = [
            Add(), Subtract(), Multiply(), Divide(), Power(), Maximum(), Minimum(), PReLU(), SwiGLU(),
        ]
        for op in ops {
            var inputs = [Tensor([-1.5, 2], [2]), Tensor([2, 3], [2])]
            inputs[operand] = Tensor([.nan, 2], [2])
            let y = op.apply(inputs).values
            #expect(y[0].isNaN && !y[1].isNaN, "\(type(of: op).name): \(y)")
        }
    }
}

/// The functions of one number, with ordinary attributes.
enum Elementwise {
    static var unary: [any DifferentiableOp] {
        [
            Negate(), AbsoluteValue(), Reciprocal(), SquareRoot(), ReciprocalSquareRoot(), ScalarPower(2),
            ScalarPower(-0.5),
            Exponential(), Logarithm(), ErrorFunction(), Clamp(-1, 1), Floor(), Ceiling(), Round(), Sign(), Sine(),
            Cosine(),
            Tangent(), ArcSine(), ArcCosine(), ArcTangent(), HyperbolicSine(), HyperbolicCosine(), Tanh(), AreaSine(),
            AreaTangent(), ReLU(), ReLU6(), LeakyReLU(), ThresholdedReLU(), ELU(), SELU(), CELU(), Softplus(),
            Softsign(),
            Sigmoid(), HardSigmoid(), GELU(), TanhGELU(), QuickGELU(), SiLU(), HardSwish(), Mish(),
        ]
    }
}
