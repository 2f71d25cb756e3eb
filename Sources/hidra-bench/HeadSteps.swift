import ArgumentParser
import Checkpoints
import Heads
import TensorCore
import Training

/// Optimiser steps a second of heads at the shapes of Banking77 on MiniLM: 10,003 rows, 384 wide, 77 classes, batch 64; and of a
/// transformer head on 16 sequences of 32 tokens. `Tests/Benchmarks/peers_heads.py` times the same in PyTorch.
struct HeadSteps: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "heads", abstract: "Training steps a second of heads.")

    @Option var rows = 10_003
    @Option var width = 384
    @Option var classes = 77
    @Option var batchSize = 64
    @Option(help: "Seconds of a measurement; its quickest five milliseconds count.") var seconds = 3.0
    @Option(help: "One head alone: linear, mlp, mlp-dropout or transformer.") var only: String?

    private struct Subject {
        let name: String
        let batch: Int
        let rows: Int, width: Int
        let operations: Double
        let network: () -> any Network
    }

    func run() throws {
        for subject in subjects() where only == nil || only == subject.name {
            var settings = TrainingSettings()
            settings.batchSize = subject.batch
            settings.validation = 0
            (settings.patience, settings.epochs) = (1_000_000, 1_000_000)
            var random = Random(seed: 2)
            let targets = Targets.classes((0..<subject.rows).map { _ in Int32(random.index(below: classes)) })
            let features = table(subject.rows, subject.width), memory = StepMemory()
            let trainer = Trainer(
                subject.network(), features: features, targets: targets, objective: Objective(),
                settings: settings,
                learningRate: 0.001)
            // Until caches and buffers have settled.
            for _ in 0..<10 { try trainer.advance() }
            let shortest = try quickest(within: seconds) { try trainer.advance() }
            let peakMemory = memory.peakMegabytes
            // Within one epoch: its end evaluates and copies weights.
            while trainer.step % trainer.stepsPerEpoch != 1 { try trainer.advance() }
            let counted = StepMemory(), few = min(10, trainer.stepsPerEpoch - 2)
            for _ in 0..<few { try trainer.advance() }
            let calls = Double(counted.calls) / Double(few)
            let threads = WorkerPool.shared.threads, gflops = subject.operations / shortest / 1e9
            say([
                ("bench", "head training"), ("head", subject.name), ("batch", subject.batch), ("threads", threads),
                ("steps_per_second", 1 / shortest), ("gflops", gflops),
                ("share_of_peak", gflops / Peak.gflops(threads: threads)),
                ("allocations_per_step", calls), ("peak_memory_mb", peakMemory),
            ])
        }
    }

    private func table(_ rows: Int, _ width: Int) -> FeatureTable {
        var random = Random(seed: 1)
        let values = Tensor(uninitialised: [rows, width])
        for i in 0..<values.count { values.mutablePointer[i] = random.uniform() - 0.5 }
        return FeatureTable(L2Normalisation()(values))
    }

    private func subjects() -> [Subject] {
        let sequences = 16, tokens = 32, heads = 12, feedForward = 1536
        let transformer = {
            TransformerHead(
                tokens: tokens, width: width, heads: heads, feedForward: feedForward, layers: 2, classes: classes,
                in: ParameterScope(initialisedFrom: 0))
        }
        return [
            builtIn("linear", .linear), builtIn("mlp", .mlp(hidden: HeadKind.defaultHidden, dropout: 0)),
            builtIn("mlp-dropout", .mlp(hidden: HeadKind.defaultHidden, dropout: HeadKind.defaultDropout)),
            Subject(
                name: "transformer", batch: sequences, rows: 64 * sequences, width: tokens * width,
                operations: transformer().operations(sequences: sequences, classes: classes), network: transformer),
        ]
    }

    private func builtIn(_ name: String, _ kind: HeadKind) -> Subject {
        // Forward and the weights' gradients; the hidden layer's output also has one.
        let multiplyAdds =
            switch kind {
            case .linear: 2 * width * classes
            case .mlp(let hidden, _): 2 * width * hidden + 3 * hidden * classes
            case .tagger, .graph, .fusion: preconditionFailure("only linear and mlp heads are measured here")
            }
        return Subject(
            name: name, batch: batchSize, rows: rows, width: width, operations: 2 * Double(batchSize * multiplyAdds),
            network: { HeadNetwork(kind, width: width, outputs: classes, in: ParameterScope(initialisedFrom: 0)) })
    }
}
