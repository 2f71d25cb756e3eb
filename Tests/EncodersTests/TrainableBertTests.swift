import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Encoders
@testable import Layers
@testable import TensorCore

@Suite("Training parts of an encoder")
struct TrainableBertTests {
    private let folder: TemporaryFolder
    private let configuration: BertConfiguration
    private let weights: Safetensors
    private let frozen: BertEncoder
    private let batch: PackedTokens

    init() throws {
        folder = try TemporaryFolder()
        try TinyEncoder.write(to: folder.url)
        configuration = try BertConfiguration(json: Data(contentsOf: folder.url.appending(path: "config.json")))
        weights = try Safetensors(folder.url.appending(path: "model.safetensors"))
        frozen = try BertEncoder(configuration: configuration, weights: weights)
        var batch = PackedTokens()
        for ids in [[2, 5, 9, 3], [2, 7, 3], [2, 11, 12, 13, 14, 3]] as [[Int32]] {
            batch.append(ids: ids, typeIDs: [Int32](repeating: 0, count: ids.count))
        }
        self.batch = batch
    }

    private func model(_ tuning: FineTuning) throws -> TrainableBert {
        try TrainableBert(configuration: configuration, weights: weights, tuning: tuning, seed: 7)
    }

    static let adapters = FineTuning.LowRank(rank: 2, alpha: 4, targets: Set(FineTuning.Target.allCases))

    @Test(
        "before the first step every level computes what the frozen encoder does",
        arguments: [
            FineTuning(), FineTuning(depth: .top(1)), FineTuning(depth: .top(2)), FineTuning(depth: .all),
            FineTuning(lowRank: adapters), FineTuning(depth: .top(1), lowRank: adapters),
            FineTuning(depth: .all, lowRank: adapters),
        ])
    func sameForward(_ tuning: FineTuning) throws {
        let expected = try #require(frozen.hiddenStates(batch, taps: [frozen.layers])[frozen.layers])
        let actual = try model(tuning)(batch, over: frozen)
        let worst = difference(actual, expected, absolute: 1e-5, relative: 1e-5)
        #expect(worst.isWithinTolerance, "\(tuning): \(worst)")
    }

    @Test("what is trained, and where the frozen encoder ends, follow from the level")
    func parameters() throws {
        let layer = 16
        for (tuning, trunk, count) in [
            (FineTuning(), 2, 0), (FineTuning(depth: .top(1)), 1, layer), (FineTuning(depth: .all), nil, 5 + 2 * layer),
            (FineTuning(lowRank: FineTuning.LowRank(rank: 2, alpha: 4)), 0, 2 * 2 * 2),
            (FineTuning(depth: .top(1), lowRank: Self.adapters), 0, layer + 2 * 6 * 2),
        ] as [(FineTuning, Int?, Int)] {
            let bert = try model(tuning)
            #expect(bert.trunk == trunk && bert.parameters.count == count, "\(tuning): \(bert.parameters.map(\.name))")
        }
    }

    @Test(
        "every trained parameter gets a gradient, and the shared encoder stays as it is",
        arguments: [
            FineTuning(depth: .top(1)), FineTuning(depth: .all), FineTuning(depth: .all, lowRank: adapters),
        ])
    func gradients(_ tuning: FineTuning) throws {
        let before = try #require(frozen.hiddenStates(batch, taps: [2])[2]).values
        let bert = try model(tuning)
        // B begins at zero, and A's gradient with it.
        for parameter in bert.parameters where parameter.name.hasSuffix("lora_B") {
            for i in 0..<parameter.value.count { parameter.value.mutablePointer[i] = Float(i % 5) * 0.1 - 0.2 }
        }
        let hidden = bert(batch, over: frozen)
        let loss = Sum()(Multiply()(hidden, Tensor((0..<hidden.count).map { Float($0 % 7) - 3 }, hidden.shape)))
        let gradients = loss.gradients(for: bert.parameters.map(\.value))
        for (parameter, gradient) in zip(bert.parameters, gradients) {
            // Softmax does not see what all keys have in common.
            if parameter.name.hasSuffix("key.bias") { continue }
            #expect(gradient.values.contains { abs($0) > 1e-6 }, "\(parameter.name) has no gradient")
            for i in 0..<gradient.count { parameter.value.mutablePointer[i] -= 0.01 * gradient.pointer[i] }
        }
        #expect(try #require(frozen.hiddenStates(batch, taps: [2])[2]).values == before)
    }

    @Test("an adapter added into its weight computes the same")
    func merged() throws {
        let scope = ParameterScope(initialisedFrom: 3)
        let adapter = LowRankAdapter(6, 4, rank: 2, alpha: 3, in: scope)
        for i in 0..<adapter.b.value.count { adapter.b.value.mutablePointer[i] = Float(i) * 0.1 - 0.3 }
        let linear = Linear(6, 4, in: scope.scope("base"))
        let x = Tensor((0..<12).map { Float($0) * 0.1 }, [2, 6])
        let apart = Add()(linear(x), adapter(x))
        let together = LinearProduct()(x, adapter.merged(into: linear.weight.value), linear.bias.value)
        let worst = difference(apart, together, absolute: 1e-6, relative: 1e-6)
        #expect(worst.isWithinTolerance, "\(worst)")
    }

    @Test("more layers than there are, and a checkpoint without a pooler, are errors")
    func refused() {
        #expect(throws: CheckpointError.self) { try model(FineTuning(depth: .top(3))) }
        let error = #expect(throws: CheckpointError.self) { try model(FineTuning(depth: .all, pooler: true)) }
        #expect(error.map { "\($0)".contains("pooler.dense.weight") } == true, "\(String(describing: error))")
    }
}
