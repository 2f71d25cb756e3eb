import Checkpoints
import TestSupport
import Testing

@testable import TensorCore
@testable import Training

private func numbers(_ shape: Shape, _ seed: UInt64) -> Tensor {
    var random = Random(seed: seed)
    return Tensor((0..<shape.count).map { _ in random.uniform() - 0.5 }, shape)
}

@Suite("Optimiser state, averages, accumulation")
struct OptimiserStateTests {
    static let names = [
        "sgd", "adam", "adam amsgrad", "adamw", "adamw amsgrad", "rmsprop", "adagrad", "lion", "adafactor", "t5",
    ]

    private func make(_ name: String, _ parameters: [Parameter]) -> any Optimiser {
        switch name {
        case "sgd": return SGD(parameters, momentum: 0.9, nesterov: true, weightDecay: 0.01)
        case "adam": return Adam(parameters, weightDecay: 0.01)
        case "adam amsgrad": return Adam(parameters, amsgrad: true)
        case "adamw": return AdamW(parameters, weightDecay: 0.01)
        case "adamw amsgrad": return AdamW(parameters, amsgrad: true)
        case "rmsprop": return RMSprop(parameters, momentum: 0.5, centred: true)
        case "adagrad": return Adagrad(parameters, learningRateDecay: 0.01)
        case "lion": return Lion(parameters, weightDecay: 0.1)
        case "adafactor": return Adafactor(parameters)
        default:
            var form = T5Adafactor.Form()
            form.beta1 = 0.9
            return T5Adafactor(parameters, form: form)
        }
    }

    private func start() -> [Parameter] {
        parameters(["w": numbers([7, 5], 1), "b": numbers([5], 2), "k": numbers([2, 3, 4], 3)])
    }

    private func step(_ optimiser: inout any Optimiser, _ number: Int) {
        let gradients = optimiser.parameters.enumerated().map { numbers($1.value.shape, UInt64(100 * number + $0)) }
        optimiser.step(gradients, learningRate: 0.01)
    }

    @Test("a restored optimiser goes on bit for bit", arguments: names)
    func restored(_ name: String) throws {
        let first = start()
        var undisturbed = make(name, first)
        for number in 0..<3 { step(&undisturbed, number) }
        let state = undisturbed.state
        let second = parameters(first.map { ($0.name, $0.value.detached) })
        for number in 3..<6 { step(&undisturbed, number) }
        var resumed = make(name, second)
        try resumed.restore(state)
        for number in 3..<6 { step(&resumed, number) }
        for (a, b) in zip(first, second) {
            #expect(a.value.values.map(\.bitPattern) == b.value.values.map(\.bitPattern), "\(name) \(a.name)")
        }
        #expect(resumed.state.steps == 6)
    }

    @Test("a state of another optimiser, or of other parameters, is refused and changes nothing", arguments: names)
    func refused(_ name: String) throws {
        var optimiser = make(name, start())
        step(&optimiser, 0)
        let before = optimiser.state
        var foreign = before
        foreign.optimiser = "other"
        var short = before
        short.tensors[try #require(short.tensors.keys.sorted().first)] = nil
        var misshapen = before
        for key in misshapen.tensors.keys { misshapen.tensors[key] = Tensor(repeating: 0, [1, 1]) }
        for state in [foreign, short, misshapen] {
            let error = #expect(throws: TrainingError.self) { try optimiser.restore(state) }
            #expect(error?.code == .stateMismatch)
        }
        for (key, tensor) in optimiser.state.tensors {
            #expect(tensor.values == before.tensors[key]?.values, "\(name) \(key)")
        }
    }

    @Test("a group has its own rate and decay")
    func groups() {
        let values = parameters(["w": Tensor([1, 2], [2]), "b": Tensor([1, 2], [2])])
        var optimiser = SGD(values, weightDecay: 0.5)
        optimiser.assign(ParameterGroup(learningRateFactor: 0.1)) { $0.name == "b" }
        optimiser.step([Tensor([1, 1], [2]), Tensor([1, 1], [2])], learningRate: 0.1)
        for (parameter, expected) in zip(values, [[0.85, 1.8], [0.99, 1.99]] as [[Float]]) {
            let worst = difference(parameter.value.values, expected, absolute: 1e-6, relative: 0)
            #expect(worst.isWithinTolerance, "\(parameter.name): \(worst)")
        }
    }

    @Test(
        "large parameters, split over threads, change like small ones",
        arguments: names.filter { !["adafactor", "t5"].contains($0) })
    func split(_ name: String) {
        let count = 70_000, value = numbers([count], 1), gradient = numbers([count], 2)
        let whole = parameters(["p": value]), small = parameters(["p": value.rows(40_000..<40_100)])
        var first = make(name, whole), second = make(name, small)
        for _ in 0..<2 {
            first.step([gradient], learningRate: 0.01)
            second.step([gradient.rows(40_000..<40_100)], learningRate: 0.01)
        }
        let worst = difference(
            Array(whole[0].value.values[40_000..<40_100]), small[0].value.values, absolute: 1e-7, relative: 1e-6)
        #expect(worst.isWithinTolerance, "\(name): \(worst)")
    }

    @Test("accumulated gradients are those of one batch")
    func accumulation() {
        var accumulation = GradientAccumulation()
        accumulation.add([Tensor([1, 2], [2])], rows: 3)
        accumulation.add([Tensor([5, -2], [2])], rows: 1)
        #expect(accumulation.take()[0].values == [2, 1])
        accumulation.add([Tensor([4, 4], [2])], rows: 2)
        #expect(accumulation.take()[0].values == [4, 4])
    }

    @Test("averages follow the weights and take their place only for a while")
    func averages() {
        let values = parameters(["w": Tensor([0, 10], [2])])
        var average = WeightAverage(values, decay: 0.5)
        values[0].value.mutablePointer.update(from: Tensor([11, 10], [2]).pointer, count: 2)
        average.update()
        // The first step's decay is 2 / 11.
        let averaged = average.withAverages { values[0].value.values }
        #expect(difference(averaged, [9, 10], absolute: 1e-5, relative: 0).isWithinTolerance, "\(averaged)")
        #expect(values[0].value.values == [11, 10])
    }

    @Test("clipping leaves the gradients it was given as they were, and a NaN stays visible")
    func clipping() {
        let gradient = Tensor([3, 4], [2])
        let (clipped, norm) = GradientClipping.norm(largest: 1)([gradient, gradient])
        // The norm is √50.
        #expect(abs((norm ?? 0) - 7.0710678) < 1e-6, "\(norm ?? 0)")
        #expect(gradient.values == [3, 4])
        #expect(abs(clipped[1].values[0] - 0.42426406) < 1e-5, "\(clipped[1].values)")
        #expect(GradientClipping.value(largest: 1)([Tensor([.nan, 2], [2])]).gradients[0].values[0].isNaN)
        #expect(GradientClipping.norm([Tensor([.nan, 2], [2])], order: .infinity).isNaN)
    }
}
