import ArgumentParser
import Checkpoints
import Heads
import TensorCore
import Training

/// Optimiser steps a second of the built-in heads, at the shapes of Banking77 on MiniLM: 10,003 rows, 384 wide, 77 classes.
struct HeadSteps: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "heads", abstract: "Training steps a second of the built-in heads.")

    @Option var rows = 10_003
    @Option var width = 384
    @Option var classes = 77
    @Option var batchSize = 64

    func run() throws {
        var random = Random(seed: 1)
        let features = L2Normalisation()(Tensor((0..<rows * width).map { _ in random.uniform() - 0.5 }, [rows, width]))
        let targets = Targets.classes((0..<rows).map { _ in Int32(random.index(below: classes)) })
        for kind in [HeadKind.linear, .mlp(hidden: 512, dropout: 0)] {
            var settings = TrainingSettings()
            settings.batchSize = batchSize
            settings.validation = 0
            settings.patience = 10_000
            settings.epochs = 10_000
            let network = HeadNetwork(kind, width: width, outputs: classes, in: ParameterScope(initialisedFrom: 0))
            let trainer = Trainer(
                network, features: FeatureTable(features), targets: targets, objective: Objective(), settings: settings,
                learningRate: 0.01)
            let steps = kind == .linear ? 2000 : 400
            for _ in 0..<steps / 10 { try trainer.advance() }
            let seconds = try best(of: 3) { for _ in 0..<steps { try trainer.advance() } }
            say([
                ("bench", "head training"), ("head", kind.name), ("batch", batchSize), ("threads", WorkerPool.shared.threads),
                ("steps_per_second", Double(steps) / seconds),
            ])
        }
    }
}
