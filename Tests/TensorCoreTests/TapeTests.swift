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

    @Test("a value used through several views gets the sum of their gradients")
    func gradientsOfViews() {
        let x = Tensor((0..<6).map(Float.init), [2, 3]).tracked
        let turned = Permute([1, 0])(x)
        let parts = [
            Slice(axis: 0, 1, 3)(turned), Slice(axis: 0, nil, nil, step: -2)(turned),
            Expand([2, 2])(Slice(axis: 0, 0, 1)(turned)),
        ]
        let loss = parts.map { Sum()(Multiply()($0, $0)) }.reduce(Tensor(scalar: 0)) { Add()($0, $1) }
        // Uses of each column: the first by the second and, twice, the third part; the second once, the third twice.
        let uses: [Float] = [3, 1, 2, 3, 1, 2]
        #expect(loss.gradients(for: [x])[0].values == zip(uses, x.values).map { 2 * $0 * $1 })
    }

    @Test("nothing flows through a detached value, and an op between constants is not recorded")
    func detachedInputs() {
        let x = Tensor([2, 3], [2]).tracked
        let y = Add()(Multiply()(x.detached, x), Exponential()(x.detached))
        #expect(Sum()(y).gradients(for: [x])[0].values == [2, 3])
        #expect(!Exponential()(x.detached).isTracked)
    }

    @Test("gradients come back dense, whatever views made them, and are not shared")
    func denseGradients() {
        let x = Tensor([1, 2, 3, 4], [2, 2]).tracked
        let gradient = Sum()(Permute([1, 0])(x)).gradients(for: [x])[0]
        #expect(gradient.isContiguous && gradient.values == [1, 1, 1, 1])
        let a = Tensor([1, 2], [2]).tracked, b = Tensor([3, 4], [2]).tracked
        let both = Sum()(Add()(a, b)).gradients(for: [a, b])
        both[0].mutablePointer[0] = 7
        #expect(both[1].values == [1, 1], "two leaves share the storage of one gradient")
    }

    @Test("the gradient of a broadcast operand is summed over every kind of axes")
    func broadcastGradients() {
        let shapes: [Shape] = [
            [], [1], [5], [4, 1], [3, 1, 1], [1, 4, 1], [3, 1, 5], [2, 1, 1, 1], [2, 1, 4, 1], [1, 1, 1, 5],
        ]
        let full: Shape = [2, 3, 4, 5]
        let gradient = numbers(full, 3)
        for shape in shapes {
            let x = numbers(shape, 1).tracked
            let actual = Add()(Tensor(repeating: 0, full), x).gradients(for: [x], from: gradient)[0]
            var expected = [Double](repeating: 0, count: shape.count)
            let target = Tensor((0..<shape.count).map(Float.init), shape).expandedView(full).values
            for (place, value) in zip(target, gradient.values) { expected[Int(place)] += Double(value) }
            for (a, e) in zip(actual.values, expected) {
                #expect(abs(Double(a) - e) < 1e-5, "\(shape): \(a), expected \(e)")
            }
        }
    }

    @Test("copies between layouts move every element to its place")
    func layouts() {
        let shapes: [Shape] = [[3, 5], [33, 70], [2, 17, 40], [4, 3, 18, 5], [1, 6, 1, 2], [2, 130, 300]]
        for shape in shapes {
            let x = Tensor((0..<shape.count).map(Float.init), shape), strides = shape.contiguousStrides
            var random = Random(seed: 3)
            for _ in 0..<6 {
                let order = random.permutation(shape.rank)
                let view = x.permutedView(order), values = view.values
                var wrong = 0
                for index in 0..<view.count {
                    var rest = index, place = 0
                    for axis in (0..<view.rank).reversed() {
                        place += rest % view.shape[axis] * strides[order[axis]]
                        rest /= view.shape[axis]
                    }
                    if values[index] != Float(place) { wrong += 1 }
                }
                #expect(wrong == 0, "\(shape) in the order \(order): \(wrong) elements in a wrong place")
            }
        }
    }
}
