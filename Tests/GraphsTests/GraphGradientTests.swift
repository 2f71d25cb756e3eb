import Foundation
import TensorCore
import Testing

@testable import Graphs

/// The ops of this module that the core does not have, and the formulas of operators, against finite differences in float64: the same
/// operators run on float64 without gradients, so the slope is exact to about 1e-7.
@Suite("Gradients of graphs")
struct GraphGradientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let op: String
        let shapes: [[Int]]
        var low = -2.0, high = 2.0
        var opset: Int64 = 22
        var attributes: @Sendable () -> [Setting] = { [] }

        var testDescription: String { "\(op) \(shapes)" }
    }

    enum Setting {
        case int(String, Int64), ints(String, [Int64]), string(String, String)
    }

    static let cases: [Case] =
        [
            "Exp", "Sin", "Cos", "Tan", "Sinh", "Cosh", "Asinh", "Atan", "Erf", "Sigmoid", "Tanh", "Softplus",
            "Softsign", "Elu", "Celu", "Selu",
            "LeakyRelu", "HardSwish", "Mish", "Gelu", "Softmax", "LogSoftmax", "Relu", "Abs", "Neg", "ReduceSum",
            "ReduceMean", "ReduceProd",
            "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceMax", "ReduceMin", "LpNormalization",
            "Identity",
        ].map { Case(op: $0, shapes: [[3, 4]]) } + [
            Case(op: "Log", shapes: [[5]], low: 0.5, high: 3), Case(op: "Sqrt", shapes: [[5]], low: 0.5, high: 3),
            Case(op: "Acosh", shapes: [[5]], low: 1.5, high: 3), Case(op: "Asin", shapes: [[5]], low: -0.8, high: 0.8),
            Case(op: "Acos", shapes: [[5]], low: -0.8, high: 0.8),
            Case(op: "Atanh", shapes: [[5]], low: -0.8, high: 0.8),
            Case(op: "Reciprocal", shapes: [[5]], low: 0.5, high: 3), Case(op: "Add", shapes: [[2, 3], [3]]),
            Case(op: "Sub", shapes: [[2, 3], [2, 1]]),
            Case(op: "Mul", shapes: [[2, 3], [3]]), Case(op: "Div", shapes: [[2, 3], [3]], low: 0.5, high: 3),
            Case(op: "Pow", shapes: [[2, 3], [3]], low: 0.5, high: 3), Case(op: "Max", shapes: [[2, 3], [3]]),
            Case(op: "Min", shapes: [[2, 3], [3]]),
            Case(op: "Mean", shapes: [[2, 3], [3]]), Case(op: "PRelu", shapes: [[2, 3], [3]]),
            Case(op: "MatMul", shapes: [[2, 3, 4], [4, 2]]),
            Case(op: "MatMul", shapes: [[4], [4, 2]]), Case(op: "Gemm", shapes: [[3, 4], [4, 2], [2]]),
            Case(op: "Transpose", shapes: [[2, 3, 4]]),
            Case(op: "Flatten", shapes: [[2, 3, 4]]), Case(op: "Trilu", shapes: [[3, 4]]),
            Case(op: "Concat", shapes: [[2, 3], [2, 2]]) { [.int("axis", 1)] },
            Case(op: "Einsum", shapes: [[2, 3, 4], [2, 4, 2]]) { [.string("equation", "bij,bjk->bik")] },
            Case(op: "LayerNormalization", shapes: [[3, 4], [4], [4]]),
            Case(op: "RMSNormalization", shapes: [[3, 4], [4]], opset: 23),
            Case(op: "InstanceNormalization", shapes: [[2, 3, 5], [3], [3]]),
            Case(op: "GroupNormalization", shapes: [[2, 4, 3], [4], [4]]) { [.int("num_groups", 2)] },
            Case(op: "LRN", shapes: [[2, 4, 3]]) { [.int("size", 3)] },
            Case(op: "GlobalAveragePool", shapes: [[2, 3, 4]]),
            Case(op: "GlobalMaxPool", shapes: [[2, 3, 4]]),
            Case(op: "Conv", shapes: [[1, 4, 5, 4], [4, 2, 3, 2], [4]]) {
                [.int("group", 2), .ints("pads", [1, 0, 0, 1])]
            },
            Case(op: "Conv", shapes: [[1, 2, 3, 3, 2, 2], [2, 2, 2, 1, 1, 2]]),
            Case(op: "ConvTranspose", shapes: [[1, 2, 3, 2], [2, 3, 3, 2], [3]]) { [.ints("strides", [2, 1])] },
            Case(op: "MaxPool", shapes: [[1, 2, 5, 4]]) { [.ints("kernel_shape", [2, 2])] },
            Case(op: "AveragePool", shapes: [[1, 2, 5, 4]]) {
                [.ints("kernel_shape", [2, 3]), .ints("pads", [1, 1, 0, 1])]
            },
            Case(op: "LpPool", shapes: [[1, 2, 5]]) { [.ints("kernel_shape", [2])] },
            Case(op: "DepthToSpace", shapes: [[1, 4, 2, 2]]) { [.int("blocksize", 2)] },
            Case(op: "RNN", shapes: [[3, 2, 3], [1, 4, 3], [1, 4, 4], [1, 8]]),
            Case(op: "GRU", shapes: [[3, 2, 3], [1, 12, 3], [1, 12, 4], [1, 24]]),
            Case(op: "GRU", shapes: [[3, 2, 3], [1, 12, 3], [1, 12, 4], [1, 24]]) { [.int("linear_before_reset", 1)] },
            Case(op: "LSTM", shapes: [[3, 2, 3], [2, 16, 3], [2, 16, 4], [2, 32]]) {
                [.string("direction", "bidirectional")]
            },
            Case(op: "Attention", shapes: [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]], opset: 23) {
                [.int("is_causal", 1)]
            },
        ]

    @Test("equal the slopes", arguments: cases)
    func slopes(_ one: Case) throws {
        var random = Random(seed: 11)
        let points = one.shapes.map { shape in
            (0..<shape.reduce(1, *)).map { _ in one.low + (one.high - one.low) * Double(random.uniform()) }
        }
        func program(_ type: ElementType) throws -> GraphProgram {
            var builder = ModelBuilder(opset: one.opset)
            for (index, shape) in one.shapes.enumerated() { builder.input("i\(index)", type, shape) }
            let attributes = one.attributes().map { attribute in
                switch attribute {
                case .int(let name, let value): ModelBuilder.integer(name, value)
                case .ints(let name, let values): ModelBuilder.integers(name, values)
                case .string(let name, let value): ModelBuilder.string(name, value)
                }
            }
            builder.node(one.op, one.shapes.indices.map { "i\($0)" }, ["o"], attributes)
            builder.output("o", type)
            return try GraphProgram(builder.model())
        }
        let single = try program(.float32), double = try program(.float64)
        let leaves = zip(points, one.shapes).map { Tensor($0.map { Float($0) }, Shape($1)).tracked }
        let output = try #require(
            try single.run(
                inputs: Dictionary(uniqueKeysWithValues: leaves.enumerated().map { ("i\($0)", GraphValue($1)) })
            ).first?.value.tensor)
        let weights = (0..<output.count).map { _ in random.uniform() - 0.5 }
        let gradients = output.gradients(for: leaves, from: Tensor(weights, output.shape))
        func value(_ points: [[Double]]) throws -> Double {
            let inputs = points.enumerated().map { ("i\($0)", GraphValue(.float64, one.shapes[$0], .real($1))) }
            let result = try double.run(inputs: Dictionary(uniqueKeysWithValues: inputs))[0].value
            guard case .real(let values) = result.content else { return .nan }
            return zip(values, weights).reduce(0) { $0 + $1.0 * Double($1.1) }
        }
        // The same values in both types, so that both walk the same side of a kink.
        let base = points.map { $0.map { Double(Float($0)) } }
        for input in base.indices {
            let actual = gradients[input].values
            for element in base[input].indices {
                var up = base, down = base
                up[input][element] += 1e-5
                down[input][element] -= 1e-5
                let slope = try (value(up) - value(down)) / 2e-5
                #expect(
                    abs(Double(actual[element]) - slope) <= 2e-4 * max(1, abs(slope)),
                    "input \(input), element \(element): gradient \(actual[element]), slope \(slope)")
            }
        }
    }
}
