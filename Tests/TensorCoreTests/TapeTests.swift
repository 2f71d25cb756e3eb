import Testing

@testable import TensorCore

private struct RoundDown: InferenceOp {
    static let name = "round_down"
    func forward(_ inputs: [Tensor]) -> Tensor { inputs[0].map { $0.rounded(.down) } }
}

@Suite("The tape")
struct TapeTests {
    @Test("nothing is recorded when no input is tracked")
    func untrackedCostsNothing() {
        #expect(!Add()(Tensor([1, 2], [2]), Tensor([3, 4], [2])).isTracked)
    }

    @Test("an op without a gradient refuses a tracked input by name")
    func refusesTrackedInput() throws {
        let x = Tensor([1.5], [1])
        #expect(try RoundDown()(x).values == [1])
        let error = #expect(throws: TensorError.self) { try RoundDown()(x.tracked) }
        #expect(error?.code == .notDifferentiable)
        #expect(error?.message.contains("round_down") == true)
    }

    @Test("a value used twice gets the sum of both gradients")
    func accumulates() {
        let x = Tensor([3], [1]).tracked
        let y = Add()(Multiply()(x, x), x)
        #expect(Sum()(y).gradients(for: [x])[0].values == [7])
    }

    @Test("a leaf the loss does not depend on gets zeros")
    func independentLeaf() {
        let x = Tensor([1, 2], [2]).tracked, other = Tensor([5], [1]).tracked
        #expect(Sum()(x).gradients(for: [other, x]).map(\.values) == [[0], [1, 1]])
    }

    @Test("tensors with a dimension of zero pass through forward and backward")
    func zeroSizes() {
        let x = Tensor([], [0, 4]).tracked, weight = Tensor(repeating: 1, [3, 4]).tracked
        let y = LinearProduct()(x, weight)
        #expect(y.shape == [0, 3])
        let gradients = Sum()(y).gradients(for: [x, weight])
        #expect(gradients[0].shape == [0, 4])
        #expect(gradients[1].values == [Float](repeating: 0, count: 12))
    }

    @Test(
        "NaN reaches the output of every activation and norm",
        arguments: ["gelu", "relu", "tanh", "softmax", "l2", "layer"])
    func propagatesNaN(_ name: String) {
        let x = Tensor([1, .nan, 2, 3], [1, 4])
        let ones = Tensor(repeating: 1, [4]), zeros = Tensor(repeating: 0, [4])
        let y: Tensor
        switch name {
        case "gelu": y = GELU()(x)
        case "relu": y = ReLU()(x)
        case "tanh": y = Tanh()(x)
        case "softmax": y = Softmax()(x)
        case "l2": y = L2Normalisation()(x)
        default: y = LayerNormalisation(eps: 1e-5)(x, ones, zeros)
        }
        #expect(y.values[1].isNaN)
    }

    @Test("views read the right elements")
    func views() {
        let x = Tensor((0..<12).map(Float.init), [3, 4])
        #expect(x.columns(1..<3).values == [1, 2, 5, 6, 9, 10])
        #expect(x.rows(1..<2).values == [4, 5, 6, 7])
        #expect(x.permutedView([1, 0]).values == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
        #expect(Tensor([1, 2], [2, 1]).expandedView([2, 3]).values == [1, 1, 1, 2, 2, 2])
    }
}
