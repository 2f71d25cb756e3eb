import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Heads
@testable import TensorCore
@testable import Training

private struct Problem {
    let network: HeadNetwork
    let features: FeatureTable
    var targets: Targets
    var objective = Objective()
    var settings = TrainingSettings()

    init(rows: Int = 150, width: Int = 40, outputs: Int = 13, kind: HeadKind = .linear) {
        var random = Random(seed: 3)
        features = FeatureTable(Tensor((0..<rows * width).map { _ in random.uniform() - 0.5 }, [rows, width]))
        targets = .classes((0..<rows).map { _ in Int32(random.index(below: outputs)) })
        network = HeadNetwork(kind, width: width, outputs: outputs, in: ParameterScope(initialisedFrom: 1))
    }

    func linearStep(_ optimiser: (any Optimiser)? = nil) -> LinearStep? {
        LinearStep(
            network, features: features, targets: targets, objective: objective, settings: settings,
            optimiser: optimiser ?? AdamW(network.parameters, weightDecay: 0.01))
    }

    var tapeStep: TapeStep {
        TapeStep(
            network, features: features, targets: targets, objective: objective, settings: settings,
            optimiser: AdamW(network.parameters, weightDecay: 0.01))
    }
}

@Suite("The fused step of a linear layer")
struct LinearStepTests {
    struct Setting: Sendable, CustomTestStringConvertible {
        let width: Int, outputs: Int, smoothing: Float, weighted: Bool
        var testDescription: String { "\(width) → \(outputs), smoothing \(smoothing), weights \(weighted)" }
    }

    @Test(
        "it trains as the tape does",
        arguments: [
            Setting(width: 40, outputs: 13, smoothing: 0, weighted: false),
            Setting(width: 384, outputs: 77, smoothing: 0.1, weighted: false),
            Setting(width: 7, outputs: 2, smoothing: 0, weighted: true),
            Setting(width: 33, outputs: 5, smoothing: 0.2, weighted: true),
        ])
    func followsTheTape(_ setting: Setting) throws {
        func train(_ method: (Problem) -> (any TrainingStep)?) throws -> (losses: [Float], weights: [[Float]]) {
            var problem = Problem(width: setting.width, outputs: setting.outputs)
            let weights = (0..<setting.outputs).map { 0.5 + Float($0 % 3) }
            problem.objective = Objective(classWeights: setting.weighted ? weights : nil, smoothing: setting.smoothing)
            let step = try #require(method(problem))
            // The last batch of an epoch is short.
            let batches = [0..<64, 64..<128, 128..<150]
            let losses = try (0..<30).map { number in
                let order = batches[number % 3].map { $0 * 7 % 150 }
                return try step.take(order[...], step: number, learningRate: 0.01)
            }
            return (losses, problem.network.parameters.map(\.value.values))
        }
        let fused = try train { $0.linearStep() }, tape = try train(\.tapeStep)
        for (what, a, b) in [("losses", fused.losses, tape.losses)]
            + zip(fused.weights, tape.weights).map({ ("weights", $0, $1) })
        {
            let worst = difference(a, b, absolute: 5e-5, relative: 5e-5)
            #expect(worst.isWithinTolerance, "\(what): \(worst)")
        }
    }

    @Test("whatever it does not cover is left to the tape")
    func refuses() {
        func taken(_ change: (inout Problem) -> Void, _ optimiser: (Problem) -> (any Optimiser)? = { _ in nil }) -> Bool
        {
            var problem = Problem()
            change(&problem)
            return problem.linearStep(optimiser(problem)) != nil
        }
        #expect(taken { _ in })
        #expect(taken { $0.settings.averageDecay = 0.9 })
        #expect(!taken { $0.settings.clipNorm = 1 })
        #expect(!taken { $0.settings.clipValue = 1 })
        #expect(!taken { $0.settings.accumulation = 2 })
        #expect(!taken { $0.targets = .values([Float](repeating: 0, count: 150)) })
        #expect(!taken { $0.targets = .labels([Float](repeating: 0, count: 150 * 13), count: 13) })
        #expect(!taken { $0.objective.classWeights = [Float](repeating: 1e-30, count: 13) })
        #expect(!taken { $0.features.values.mutablePointer[5] = .nan })
        #expect(!taken { $0.features.values.mutablePointer[5] = 1e30 })
        #expect(!taken { $0 = Problem(kind: .mlp(hidden: 4, dropout: 0)) })
        #expect(!taken({ _ in }) { AdamW($0.network.parameters, amsgrad: true) })
        #expect(!taken({ _ in }) { SGD($0.network.parameters) })
    }

    @Test("weights that overflow are noticed, and finite ones stay")
    func overflow() throws {
        var problem = Problem()
        problem.settings.validation = 0
        #expect(problem.linearStep() != nil)
        let trainer = Trainer(
            problem.network, features: problem.features, targets: problem.targets, objective: problem.objective,
            settings: problem.settings, learningRate: 3e38)
        let error = #expect(throws: TrainingError.self) { while !trainer.isFinished { try trainer.advance() } }
        #expect(error?.code == .notFinite, "\(error?.message ?? "")")
        #expect(problem.network.parameters.allSatisfy { $0.value.values.allSatisfy(\.isFinite) })
    }
}

extension GoldenTrainingTests {
    @Test("linear heads by the fused step", arguments: cases("linear_head"))
    func linearStep(_ golden: GoldenCase) throws {
        let run = try ReferenceRun(golden)
        let features = FeatureTable(try run.file.tensor("features")), classes = try run.classes("labels")
        let outputs = try run.file.tensor("init.bias").count
        let network = HeadNetwork(
            .linear, width: features.width, outputs: outputs, in: ParameterScope(initialisedFrom: 0))
        let parameters = network.parameters.map { (String($0.name.dropFirst("output.".count)), $0) }
        try run.begin(parameters)
        let name = try #require(golden.attributes["optimizer"] as? String)
        let optimiser = try run.reference.make(name, parameters.map(\.1))
        let isCovered = optimiser is AdamW && run.reference.clipping == nil
        var settings = TrainingSettings()
        settings.clipNorm = run.reference.clipping == nil ? nil : 1
        let step = LinearStep(
            network, features: features, targets: .classes(classes),
            objective: Objective(smoothing: Float(run.reference.optional("label_smoothing") ?? 0)), settings: settings,
            optimiser: optimiser)
        #expect((step != nil) == isCovered)
        if let step { try run.follow(parameters, by: step) }
    }
}
