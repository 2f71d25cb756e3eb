import ArgumentParser
import Checkpoints
import Encoders
import Foundation
import Heads
import Tables
import TensorCore
import Training
import Tuning

/// Steps a second of training a part of an encoder with a linear head, on batches of a table's texts.
struct TuningSpeed: ParsableArguments {
    @Option(help: "Folder of an encoder.") var model: String
    @Option(help: "Table with sentences and labels.") var csv: String
    @Option var column = "text"
    @Option var label = "category"
    @Option(help: "Rows used.") var limit = 2000
    @Option var batchSize = 32
    @Option(help: "Seconds measured.") var seconds = 10.0
    @Flag(help: "Compute layers again in the backward pass instead of remembering what is inside them.") var checkpointing = false

    /// - Parameter cachesStates: the frozen part below is computed once, before anything is measured.
    func measure(_ name: String, _ tuning: FineTuning, cachesStates: Bool) throws {
        let table = try Table.read(path: csv), encoder = try TextEncoder(folder: URL(filePath: model))
        let texts = try table.column(column).prefix(limit).map(encoder.tokenize)
        let names = Array(try table.column(label).prefix(limit)), classes = Array(Set(names)).sorted()
        let labels = names.map { Int32(classes.firstIndex(of: $0) ?? 0) }
        var inputs = BodyInputs.texts(texts)
        if cachesStates {
            let trunk = try TextBody(encoder, tuning: tuning, seed: 0, inputs: []).trunk ?? 0
            inputs = .states(Self.states(encoder, texts, tap: trunk))
        }
        let body = try TextBody(encoder, tuning: tuning, seed: 0, inputs: [inputs], checkpointing: checkpointing)
        var settings = JointSettings()
        (settings.batchSize, settings.validation, settings.epochs) = (batchSize, 0, 1_000_000)
        let head = HeadNetwork(.linear, width: body.width, outputs: classes.count, in: ParameterScope(initialisedFrom: 0))
        let trainer = try JointTrainer(
            datasets: [JointDataset("texts", .body(rows: texts.count))],
            heads: [JointHead("head", head, dataset: 0, targets: .classes(labels))], body: body, settings: settings)
        encoder.releasePages()
        releaseCachedBuffers()
        let memory = StepMemory()
        for _ in 0..<5 { _ = try trainer.advance() }
        let start = ContinuousClock.now, before = processorSeconds(), first = trainer.step
        while (ContinuousClock.now - start) / .seconds(1) < seconds { _ = try trainer.advance() }
        let elapsed = (ContinuousClock.now - start) / .seconds(1), steps = Double(trainer.step - first)
        say([
            ("bench", name), ("threads", WorkerPool.shared.threads), ("batch", batchSize), ("steps", Int(steps)),
            ("steps_per_second", steps / elapsed), ("core_ms_per_step", (processorSeconds() - before) / steps * 1e3),
            ("trained_parameters", body.parameters.reduce(0) { $0 + $1.parameter.value.count }),
            ("peak_mb_of_steps", memory.peakMegabytes),
        ])
    }

    private static func states(_ encoder: TextEncoder, _ texts: [TokenizedText], tap: Int) -> TokenStates {
        var chunks: [[Float]] = [], places: [TokenStates.Place] = []
        for start in stride(from: 0, to: texts.count, by: 64) {
            let part = Array(texts[start..<min(start + 64, texts.count)])
            var next = 0
            for text in part {
                places.append(TokenStates.Place(chunk: chunks.count, start: next, tokens: text.count))
                next += text.count * encoder.width
            }
            chunks.append(encoder.states(part, tap: tap).values)
        }
        return TokenStates(chunks: chunks, places: places, width: encoder.width)
    }
}

/// Low-rank adapters on the attention of all layers.
struct Lora: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lora", abstract: "Steps a second of training low-rank adapters on all maps of the attention, from texts.",
        discussion: "Example: hidra-bench lora --model MINILM --csv train.csv. The peer: Tests/Benchmarks/peers_tuning.py lora.")

    @OptionGroup var speed: TuningSpeed
    @Option var rank = 8

    func run() throws {
        let maps: Set<FineTuning.Target> = [.query, .key, .value, .attentionOutput]
        try speed.measure(
            "lora", FineTuning(lowRank: FineTuning.LowRank(rank: rank, alpha: Float(2 * rank), targets: maps)),
            cachesStates: false)
    }
}

/// The top layers, upon hidden states that were computed once.
struct TopLayers: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top-layers", abstract: "Steps a second of training the top layers of an encoder upon cached hidden states.",
        discussion: "Example: hidra-bench top-layers --model MINILM --csv train.csv. The peer: Tests/Benchmarks/peers_tuning.py top-layers.")

    @OptionGroup var speed: TuningSpeed
    @Option var layers = 2

    func run() throws { try speed.measure("top-layers", FineTuning(depth: .top(layers)), cachesStates: true) }
}
