import Encoders
import Foundation
import Scheduling
import State
import Testing
import TestSupport

@testable import Heads
@testable import Training
@testable import Workbench

@Suite("The workbench")
struct WorkbenchTests {
    @Test("a head is trained, registered and answers; a second head finds every feature cached, also after a restart")
    func trainAndPredict() async throws {
        let request = TrainingRequest(head: "first", encoder: "tiny", rows: rows(400), test: rows(80, salt: 9_999))
        // In a function of its own: the home is free when its workbench is gone.
        func trainFirst() async throws -> TemporaryFolder {
            let bench = try await Bench()
            let outcome = try await bench.workbench.train(request)
            #expect(outcome.test?.metrics["accuracy"] ?? 0 > 0.9)
            #expect(outcome.summary.cacheMisses > 0 && outcome.run.state == .finished)
            try await bench.workbench.close()
            return bench.folder
        }
        let again = try await Bench(folder: trainFirst())
        var second = request
        second.head = "second"
        second.kind = .mlp(hidden: 16, dropout: 0)
        let cached = try await again.workbench.train(second)
        #expect(cached.summary.cacheMisses == 0 && cached.summary.cacheHits == 480)

        let predictions = try await again.workbench.predict(heads: ["first", "second"], columns: [[.text("bb qqq"), .text("dd rrr")]], top: 2)
        #expect(predictions.encoded == 2)
        for (text, expected) in zip(predictions.inputs, ["b", "d"]) {
            for answer in text {
                guard case .labels(let scores) = answer else { return #expect(Bool(false)) }
                #expect(scores.count == 2 && scores[0].label == expected)
            }
        }
        try await again.workbench.close()
    }

    @Test("an encoder whose files were lost is put back by registering it again, and with heads by no other weights")
    func repair() async throws {
        let bench = try await Bench()
        let registry = bench.workbench.registry
        _ = try await bench.workbench.train(TrainingRequest(head: "kept", encoder: "tiny", rows: rows(40)))
        let lost = registry.folder(of: try await registry.encoder(named: "tiny"))
        try FileManager.default.removeItem(at: lost)
        await #expect(throws: WorkbenchError.self) { try await bench.register("tiny", seed: 2) }
        #expect(!FileManager.default.fileExists(atPath: lost.path))
        try await bench.register("tiny", seed: 1)
        #expect(FileManager.default.fileExists(atPath: lost.path))
        let answers = try await bench.workbench.predict(heads: ["kept"], columns: [[.text("aa")]], top: 1)
        #expect(answers.problems.isEmpty && answers.inputs.count == 1)
        try await bench.workbench.close()
    }

    @Test("inputs of predictions are not kept in the cache, few or many; those of a large embedding are")
    func keeps() async throws {
        let bench = try await Bench(), workbench = bench.workbench
        _ = try await workbench.train(TrainingRequest(head: "h", encoder: "tiny", rows: rows(80)))
        let trained = try await workbench.cacheStatistics().rows
        for count in [3, 200] {
            let answers = try await workbench.predict(heads: ["h"], columns: [rows(count, salt: 77_777).inputs], top: 1)
            #expect(answers.inputs.count == count && answers.encoded > 0)
            #expect(try await workbench.cacheStatistics().rows == trained)
        }
        _ = try await workbench.embed(encoder: "tiny", inputs: rows(200, salt: 77_777).inputs, tap: "")
        #expect(try await workbench.cacheStatistics().rows > trained)
        try await workbench.close()
    }

    @Test("the same data and seed give the same head, to the byte")
    func deterministic() async throws {
        let bench = try await Bench()
        var digests: Set<String> = []
        for name in ["one", "two"] {
            digests.insert(
                try await bench.workbench.train(TrainingRequest(head: name, encoder: "tiny", rows: rows(200))).head.digest)
        }
        #expect(digests.count == 1)
        try await bench.workbench.close()
    }

    @Test("a text twice in the data is encoded once")
    func duplicates() async throws {
        let bench = try await Bench()
        let loaded = try await bench.workbench.encoders.encoder(named: "tiny")
        let features = try await bench.workbench.extractor.features(
            [.text("abc"), .text("x"), .text("abc")], of: loaded, tap: 2, priority: .training)
        #expect(features.misses == 2 && features.hits == 1)
        #expect(Array(features.values[0..<32]) == Array(features.values[64..<96]))
        try await bench.workbench.close()
    }

    @Test("multilabel and regression heads train and are measured")
    func otherTasks() async throws {
        let bench = try await Bench()
        let base = rows(240)
        let flags = LabelledRows(inputs: base.inputs, labels: base.labels.map { $0 < "c" ? "\($0)|early" : $0 })
        let multilabel = try await bench.workbench.train(
            TrainingRequest(head: "flags", encoder: "tiny", task: .multilabel, rows: flags, holdout: 0.2))
        #expect(multilabel.test?.metrics["micro_f1"] ?? 0 > 0.8)
        let numbers = LabelledRows(inputs: base.inputs, labels: base.labels.map { String(100 * ($0.utf8.first.map(Int.init) ?? 0)) })
        let regression = try await bench.workbench.train(
            TrainingRequest(head: "numbers", encoder: "tiny", task: .regress, rows: numbers, holdout: 0.2))
        #expect(regression.test?.metrics["r2"] ?? 0 > 0.5)
        #expect(regression.test?.metrics["mae"] ?? 1e9 < 60)
        try await bench.workbench.close()
    }

    @Test("labels the head never saw count as errors and are named")
    func unknownLabels() async throws {
        let bench = try await Bench()
        var test = rows(40, salt: 5)
        test.labels[3] = "never"
        let outcome = try await bench.workbench.train(TrainingRequest(head: "h", encoder: "tiny", rows: rows(200), test: test))
        #expect(outcome.summary.notes.contains { $0.contains("never") })
        #expect(outcome.test?.rows == 40)
        #expect(outcome.test?.classes.contains { $0.label == "never" && $0.recall == 0 } == true)
        try await bench.workbench.close()
    }

    @Test("a label seen once and a text too long are reported")
    func notes() async throws {
        let bench = try await Bench()
        var data = rows(100)
        data.labels[0] = "lonely"
        data.inputs[1] = .text(String(repeating: "a ", count: 60))
        let outcome = try await bench.workbench.train(TrainingRequest(head: "h", encoder: "tiny", rows: data))
        #expect(outcome.summary.notes.contains { $0.contains("lonely") })
        #expect(outcome.summary.truncatedRows == 1)
        try await bench.workbench.close()
    }

    @Test("bad requests are refused before anything is computed, and leave no run and no head")
    func refused() async throws {
        let bench = try await Bench()
        func request(_ change: (inout TrainingRequest) -> Void) -> TrainingRequest {
            var request = TrainingRequest(head: "h", encoder: "tiny", rows: rows(40))
            change(&request)
            return request
        }
        let cases: [(TrainingRequest, WorkbenchError.Code)] = [
            (request { $0.encoder = "tinny" }, .notFound), (request { $0.head = "../x" }, .invalidArgument),
            (request { $0.head = "tiny" }, .alreadyExists), (request { $0.rows = LabelledRows(texts: [], labels: []) }, .invalidData),
            (request { $0.rows.labels[4] = "" }, .invalidData), (request { $0.task = .regress }, .invalidData),
            (request { $0.tap = "9" }, .invalidArgument), (request { $0.holdout = 1.5 }, .invalidArgument),
            (request { $0.settings.learningRate = -1 }, .invalidArgument), (request { $0.settings.epochs = 0 }, .invalidArgument),
            (request { $0.kind = .mlp(hidden: 1 << 30, dropout: 0) }, .invalidArgument),
        ]
        for (request, code) in cases {
            let error = await #expect(throws: WorkbenchError.self) { try await bench.workbench.train(request) }
            #expect(error?.code == code, "\(String(describing: error))")
        }
        #expect(try await bench.workbench.registry.runs().isEmpty)
        #expect(try await bench.workbench.registry.heads().isEmpty)
        let error = await #expect(throws: WorkbenchError.self) {
            try await bench.workbench.train(TrainingRequest(head: "h", encoder: "tinny", rows: rows(40)))
        }
        #expect(error?.details["suggestion"] == "tiny")
        try await bench.workbench.close()
    }

    @Test("cancelling ends a run between two units, keeps earlier heads, and records it")
    func cancelling() async throws {
        let bench = try await Bench()
        _ = try await bench.workbench.train(TrainingRequest(head: "kept", encoder: "tiny", rows: rows(80)))
        var request = TrainingRequest(head: "long", encoder: "tiny", rows: rows(400))
        request.settings.epochs = 10_000
        request.settings.batchSize = 1
        request.settings.patience = 10_000
        let trainingBegan = AsyncStream.makeStream(of: Void.self)
        let task = Task { [request, workbench = bench.workbench] in
            try await workbench.train(request, progress: { if $0.phase == .training { trainingBegan.continuation.yield() } })
        }
        for await _ in trainingBegan.stream { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await bench.workbench.registry.runs().first?.state == .cancelled)
        #expect(try await bench.workbench.registry.heads().map(\.name) == ["kept"])
        #expect(try bench.workbench.registry.directory.names(on: .heads) == ["kept"])
        try await bench.workbench.close()
    }

    @Test("a head is not used with other features than it was trained on")
    func otherFeatures() async throws {
        let bench = try await Bench()
        _ = try await bench.workbench.train(TrainingRequest(head: "h", encoder: "tiny", rows: rows(80)))
        let error = await #expect(throws: WorkbenchError.self) { try await bench.workbench.remove("tiny", withHeads: false) }
        #expect(error?.message.contains("h") == true)
        _ = try await bench.workbench.remove("tiny", withHeads: true)
        #expect(try await bench.workbench.cacheStatistics().rows == 0)
        await #expect(throws: WorkbenchError.self) { try await bench.workbench.predict(heads: ["h"], columns: [[.text("a")]], top: 1) }
        try await bench.workbench.close()
    }

    @Test("an encoder whose file was altered is not loaded")
    func alteredEncoder() async throws {
        let bench = try await Bench()
        let file = bench.folder.url.appending(path: "home/encoders/tiny/model.safetensors")
        var data = try Data(contentsOf: file)
        data[data.count - 1] ^= 1
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        try data.write(to: file)
        let error = await #expect(throws: WorkbenchError.self) {
            try await bench.workbench.embed(encoder: "tiny", inputs: [.text("a")], tap: "")
        }
        #expect(error?.code == .corrupt)
        try await bench.workbench.close()
    }
}
