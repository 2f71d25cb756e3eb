import Checkpoints
import Encoders
import Foundation
import Heads
import State
import TensorCore
import TestSupport
import Testing
import Training
import Tuning

@testable import Workbench

@Suite("Encoders trained from others, in the workbench")
struct AdaptedWorkbenchTests {
    private let texts = rows(24).inputs

    /// Trains for a few steps and leaves the result in a staged folder.
    private func stage(_ workbench: Workbench, _ base: LoadedEncoder, _ tuning: FineTuning, seed: UInt64 = 1) throws -> URL {
        let encoder = try #require(base.encoder as? TextEncoder)
        let tokens = texts.compactMap { input in
            if case .text(let text) = input { encoder.tokenize(text) } else { nil }
        }
        let body = try TextBody(encoder, tuning: tuning, seed: seed, inputs: [.texts(tokens)])
        let network = HeadNetwork(.linear, width: body.width, outputs: 4, in: ParameterScope(initialisedFrom: seed))
        var settings = JointSettings()
        (settings.epochs, settings.batchSize, settings.bodyLearningRate) = (2, 8, 0.01)
        let trainer = try JointTrainer(
            datasets: [JointDataset("texts", .body(rows: 24))],
            heads: [JointHead("kind", network, dataset: 0, targets: .classes((0..<24).map { Int32($0 % 4) }))], body: body,
            settings: settings)
        while !trainer.isFinished { _ = try trainer.advance() }
        let staged = try workbench.registry.directory.stage()
        try body.write(base: base.record.name, digest: base.record.digest, source: base.record.source, to: staged)
        return staged
    }

    @Test("are encoders like any other: taps, cache, heads; below the cut they share their base's features")
    func life() async throws {
        let bench = try await Bench(), workbench = bench.workbench
        let base = try await workbench.encoders.encoder(named: "tiny")
        let staged = try stage(workbench, base, TuningPlan.top(1, of: base))
        let record = try await workbench.registerAdapted(staged: staged, name: "tuned", base: base, source: "session tuned")
        #expect(record.base == AdaptedBase(name: "tiny", digest: base.record.digest, cut: 1))
        #expect(record.digest != base.record.digest && record.digest.count == 64 && record.bytes < base.record.bytes)
        let tuned = try await workbench.encoders.encoder(named: "tuned")
        #expect(tuned.space(tap: 1) == base.space(tap: 1) && tuned.space(tap: 2) != base.space(tap: 2))
        _ = try await workbench.extractor.features(texts, of: base, tap: 1, priority: .training)
        let below = try await workbench.extractor.features(texts, of: tuned, tap: 1, priority: .training)
        #expect(below.misses == 0, "the base's own, from the cache")
        let top = try await workbench.extractor.features(texts, of: tuned, tap: 2, priority: .training)
        let others = try await workbench.extractor.features(texts, of: base, tap: 2, priority: .training)
        #expect(top.misses > 0 && top.values != others.values)

        var settings = TrainingSettings()
        settings.epochs = 3
        let request = TrainingRequest(head: "kinds", encoder: "tuned", settings: settings, rows: rows(40))
        _ = try await workbench.train(request)
        _ = try await workbench.predict(heads: ["kinds"], columns: [texts], top: 1)
        #expect(try await workbench.registry.item(named: "kinds") != workbench.registry.item(named: "tuned"))

        // The base stays as long as it is one.
        let conflict = await #expect(throws: WorkbenchError.self) { try await workbench.remove("tiny", withHeads: true) }
        #expect(conflict?.code == .conflict && conflict?.details["adapted"] == "tuned", "\(String(describing: conflict))")
        let removal = try await workbench.remove("tuned", withHeads: true)
        #expect(removal.weightsDigests == [record.digest])
        let kept = try await workbench.extractor.features(texts, of: base, tap: 1, priority: .training)
        #expect(kept.misses == 0, "the base's features stay")
        _ = try await workbench.remove("tiny", withHeads: true)
        try await workbench.close()
    }

    @Test("survive a restart, and the loss of the registry")
    func restart() async throws {
        let folder = try TemporaryFolder()
        let values: [Float], record: EncoderRecord
        do {
            let bench = try await Bench(folder: folder), workbench = bench.workbench
            try await bench.register("tiny", seed: 1)
            let base = try await workbench.encoders.encoder(named: "tiny")
            let staged = try stage(workbench, base, TuningPlan.lora(rank: 2, alpha: 4, targets: ["query", "value"], of: base))
            record = try await workbench.registerAdapted(staged: staged, name: "a-tuned", base: base, source: "session")
            let loaded = try await workbench.encoders.encoder(named: "a-tuned")
            values = try await workbench.extractor.features(texts, of: loaded, tap: 2, priority: .training).values
            try await workbench.close()
        }
        for losesRegistry in [false, true] {
            if losesRegistry {
                for suffix in ["", "-wal", "-shm"] {
                    let file = folder.url.appending(path: "home/registry.sqlite\(suffix)")
                    if FileManager.default.fileExists(atPath: file.path) { try FileManager.default.removeItem(at: file) }
                }
            }
            let workbench = try Workbench.open(folder.url.appending(path: "home")).workbench
            let loaded = try await workbench.encoders.encoder(named: "a-tuned")
            #expect(loaded.record == record)
            let again = try await workbench.extractor.features(
                texts, of: loaded, tap: 2, priority: .training, keep: false)
            #expect(again.values == values)
            try await workbench.close()
        }
    }

    @Test("need the base they were trained from")
    func otherBase() async throws {
        let bench = try await Bench(), workbench = bench.workbench
        try await bench.register("other", seed: 9)
        let base = try await workbench.encoders.encoder(named: "tiny"), other = try await workbench.encoders.encoder(named: "other")
        let staged = try stage(workbench, base, TuningPlan.top(1, of: base))
        let wrong = await #expect(throws: WorkbenchError.self) {
            try await workbench.registerAdapted(staged: staged, name: "tuned", base: other, source: "")
        }
        #expect(wrong?.code == .invalidArgument && wrong?.message.contains("'other'") == true)
        _ = try await workbench.registerAdapted(staged: staged, name: "tuned", base: base, source: "")
        let tuned = try await workbench.encoders.encoder(named: "tuned")
        // What was trained from another one is not trained again.
        let error = #expect(throws: WorkbenchError.self) { try TuningPlan.top(1, of: tuned) }
        #expect(error?.code == .unsupported && error?.message.contains("'tiny'") == true)
        try await workbench.close()
    }

    @Test(
        "targets that do not exist are refused with the nearest names",
        arguments: [("qurey", "query"), ("Value", "value"), ("attention.outptu", "attention.output"), ("output.dens", "output.dense")])
    func targets(_ name: String, _ nearest: String) async throws {
        let bench = try await Bench(), base = try await bench.workbench.encoders.encoder(named: "tiny")
        let error = #expect(throws: WorkbenchError.self) {
            try TuningPlan.lora(rank: 2, alpha: 4, targets: ["query", name], of: base)
        }
        #expect(error?.details["suggestion"] == nearest && error?.message.contains("intermediate") == true, "\(String(describing: error))")
        try await bench.workbench.close()
    }

    @Test("numbers that cannot be are refused")
    func numbers() async throws {
        let bench = try await Bench(), base = try await bench.workbench.encoders.encoder(named: "tiny")
        for (rank, alpha, targets, top) in [(0, 1, ["query"], nil), (2, -1, ["query"], nil), (2, 1, [], nil), (2, 1, ["query"], 3)]
            as [(Int, Double, [String], Int?)]
        {
            #expect(throws: WorkbenchError.self) {
                try TuningPlan.lora(rank: rank, alpha: alpha, targets: targets, top: top, of: base)
            }
        }
        for layers in [0, 3, -1] { #expect(throws: WorkbenchError.self) { try TuningPlan.top(layers, of: base) } }
        let fine = try TuningPlan.lora(rank: 2, alpha: 1, targets: ["attention.output.dense", "key"], of: base)
        #expect(fine.lowRank?.targets == [.attentionOutput, .key])
        #expect(TuningPlan.needsCheckpointing(layers: 6, tokens: 8192, width: 384, available: 1 << 30))
        #expect(!TuningPlan.needsCheckpointing(layers: 6, tokens: 512, width: 384, available: 1 << 30))
        try await bench.workbench.close()
    }
}
