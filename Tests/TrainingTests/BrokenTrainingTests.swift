import Checkpoints
import Foundation
import Testing

@testable import Heads
@testable import TensorCore
@testable import Training

/// Passes its input on; the gradient is `value` from the `first`-th backward pass on.
private final class Fault: DifferentiableOp {
    static let name = "fault"
    let value: Float, first: Int
    var passes = 0

    init(_ value: Float, from first: Int) {
        self.value = value
        self.first = first
    }

    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) { (inputs[0], []) }

    func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        passes += 1
        guard passes >= first else { return [gradient] }
        let result = Tensor(gradient.values, gradient.shape)
        result.mutablePointer[result.count - 1] = value
        return [result]
    }
}

/// Two linear layers, with a fault on the way to the second's bias.
private struct FaultyNetwork: Network {
    let parameters: [Parameter]
    let fault: Fault

    init(seed: UInt64, _ fault: Fault) {
        let scope = ParameterScope(initialisedFrom: seed)
        for (name, output, input) in [("first", 6, 4), ("second", 3, 6)] {
            _ = scope.scope(name).parameter("weight", [output, input], initial: .uniform(fanIn: input))
            _ = scope.scope(name).parameter("bias", [output], initial: .uniform(fanIn: input))
        }
        parameters = scope.parameters
        self.fault = fault
    }

    func callAsFunction(_ x: Tensor, dropoutSeed: UInt64?) -> Tensor {
        let p = parameters.map(\.value)
        return LinearProduct()(Tanh()(LinearProduct()(x, p[0], p[1])), p[2], fault(p[3]))
    }

    var values: [[Float]] { parameters.map(\.value.values) }
}

private func data(_ rows: Int = 64) -> (FeatureTable, Targets) {
    var random = Random(seed: 5)
    let features = Tensor((0..<rows * 4).map { _ in random.uniform() - 0.5 }, [rows, 4])
    return (FeatureTable(features), .classes((0..<rows).map { Int32($0 % 3) }))
}

private func settings(_ change: (inout TrainingSettings) -> Void = { _ in }) -> TrainingSettings {
    var settings = TrainingSettings()
    settings.batchSize = 8
    settings.epochs = 6
    settings.validation = 0
    settings.seed = 3
    change(&settings)
    return settings
}

private func trainer(
    _ network: any Network, _ features: FeatureTable, _ targets: Targets, rate: Double = 0.05,
    settings: TrainingSettings = settings(), optimiser: (any Optimiser)? = nil
) -> Trainer {
    Trainer(
        network, features: features, targets: targets, objective: Objective(), settings: settings, learningRate: rate,
        optimiser: optimiser)
}

@Suite("Training that breaks")
struct BrokenTrainingTests {
    @Test(
        "a bad gradient names the step and the parameter, and the weights before the step stay",
        arguments: [
            Float.nan, .infinity, -.infinity,
        ])
    func gradient(_ value: Float) throws {
        let (features, targets) = data()
        let broken = FaultyNetwork(seed: 1, Fault(value, from: 5)), sound = FaultyNetwork(seed: 1, Fault(0, from: .max))
        let run = trainer(broken, features, targets), reference = trainer(sound, features, targets)
        for _ in 0..<4 {
            #expect(try run.advance() == reference.advance())
        }
        let error = #expect(throws: TrainingError.self) { try run.advance() }
        #expect(
            error?.code == .notFinite && error?.step == 5 && error?.tensor == "second.bias",
            "\(String(describing: error))")
        #expect(error?.message.contains("step 5") == true && error?.message.contains("\"second.bias\"") == true)
        #expect(run.isFinished && broken.values == sound.values)
    }

    @Test("after an epoch the best epoch's weights stay")
    func bestEpoch() throws {
        let (features, targets) = data()
        // Eight steps an epoch: the fault comes in the third.
        let broken = FaultyNetwork(seed: 1, Fault(.nan, from: 21)), sound = FaultyNetwork(seed: 1, Fault(0, from: .max))
        let run = trainer(broken, features, targets), reference = trainer(sound, features, targets)
        let error = #expect(throws: TrainingError.self) { while !run.isFinished { try run.advance() } }
        #expect(error?.step == 21 && run.bestEpoch >= 1, "\(String(describing: error))")
        for _ in 0..<run.bestEpoch * 8 { try reference.advance() }
        #expect(broken.values == sound.values)
        #expect(error?.message.contains("epoch \(run.bestEpoch)") == true, "\(error?.message ?? "")")
    }

    @Test("an input that is not a number is named with its row")
    func features() throws {
        let (features, targets) = data()
        features.values.mutablePointer[37 * 4 + 2] = .nan
        let network = FaultyNetwork(seed: 1, Fault(0, from: .max)), run = trainer(network, features, targets)
        let error = #expect(throws: TrainingError.self) { while !run.isFinished { try run.advance() } }
        #expect(
            error?.tensor == "loss" && error?.row == 37 && error?.message.contains("row 38") == true,
            "\(error?.message ?? "")")
        #expect((1...8).contains(error?.step ?? 0) && run.step == (error?.step ?? 0) - 1)
        #expect(network.values.allSatisfy { $0.allSatisfy(\.isFinite) })
    }

    @Test("weights that overflow in a step are replaced by earlier ones")
    func overflow() throws {
        let (features, targets) = data()
        let network = FaultyNetwork(seed: 1, Fault(0, from: .max)), initial = network.values
        let run = trainer(network, features, targets, rate: 1e38, optimiser: SGD(network.parameters, momentum: 0.9))
        let error = #expect(throws: TrainingError.self) { while !run.isFinished { try run.advance() } }
        #expect(error?.message.contains("lower learning rate") == true, "\(error?.message ?? "")")
        #expect(network.values.allSatisfy { $0.allSatisfy(\.isFinite) }, "\(network.values)")
        #expect(initial.count == network.values.count)
    }

    @Test("the range test on data that breaks gives a rate all the same; training then says what is wrong")
    func rangeTest() throws {
        let (features, targets) = data()
        for i in 0..<features.values.count { features.values.mutablePointer[i] = .nan }
        let network = FaultyNetwork(seed: 1, Fault(0, from: .max))
        let rate = try RangeTest.learningRate(
            network, features: features, targets: targets, objective: Objective(), settings: settings())
        #expect(rate.isFinite && rate > 0)
        #expect(throws: TrainingError.self) { try trainer(network, features, targets, rate: rate).advance() }
    }
}

@Suite("Training settings")
struct TrainingSettingsTests {
    private func weights(_ settings: TrainingSettings) throws -> [Float] {
        let (features, targets) = data(), network = FaultyNetwork(seed: 1, Fault(0, from: .max))
        let run = trainer(network, features, targets, settings: settings)
        while !run.isFinished { try run.advance() }
        return network.values.flatMap { $0 }
    }

    @Test("accumulated batches train like one large batch")
    func accumulation() throws {
        let large = try weights(settings { $0.batchSize = 24 })
        let small = try weights(
            settings {
                $0.batchSize = 8
                $0.accumulation = 3
            })
        let worst = zip(large, small).map { abs($0 - $1) }.max() ?? 0
        #expect(worst < 1e-4, "\(worst)")
    }

    @Test("clipping and averages change the weights; limits that are never reached do not")
    func changes() throws {
        let plain = try weights(settings())
        #expect(try weights(settings { $0.clipNorm = 1e6 }) == plain)
        #expect(try weights(settings { $0.clipValue = 1e6 }) == plain)
        #expect(try weights(settings { $0.clipNorm = 1e-3 }) != plain)
        #expect(try weights(settings { $0.clipValue = 1e-4 }) != plain)
        #expect(try weights(settings { $0.averageDecay = 0.99 }) != plain)
    }

    @Test("settings written before a setting existed have its default; those that always existed must be there")
    func oldFiles() throws {
        let json = try JSONEncoder().encode(TrainingSettings())
        var fields = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
        for name in ["clipNorm", "clipValue", "accumulation", "averageDecay"] { fields[name] = nil }
        let old = try JSONSerialization.data(withJSONObject: fields)
        #expect(try JSONDecoder().decode(TrainingSettings.self, from: old) == TrainingSettings())
        for name in fields.keys {
            var without = fields
            without[name] = nil
            let data = try JSONSerialization.data(withJSONObject: without)
            #expect(throws: DecodingError.self, "\(name)") {
                try JSONDecoder().decode(TrainingSettings.self, from: data)
            }
        }
        let all = settings {
            $0.clipNorm = 1
            $0.clipValue = 2
            $0.accumulation = 3
            $0.averageDecay = 0.9
        }
        #expect(try JSONDecoder().decode(TrainingSettings.self, from: JSONEncoder().encode(all)) == all)
    }
}
