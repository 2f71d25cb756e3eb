import Foundation
import HidraClient
import HidraProtocol
import Synchronization
import TestSupport
import Testing

@testable import Daemon

@Suite("The daemon, over its sockets")
struct EndToEndTests {
    @Test("pull, train, list, predict, embed, evaluate, show and remove")
    func wholeStory() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(200))
        let phases = Mutex<Set<String>>([])
        let trained = try await client.train(trainRequest("letters", data)) { progress in
            phases.withLock { _ = $0.insert(progress.phase) }
        }
        #expect(trained.head.labels == ["a", "b", "c", "d"])
        #expect(trained.summary.cacheMisses > 0 && trained.run.state == "finished")
        #expect(phases.withLock { $0 }.isSuperset(of: ["extracting features", "training"]))

        let second = try await client.train(trainRequest("letters2", data)) { _ in }
        #expect(second.summary.cacheMisses == 0 && second.summary.cacheHits == 200)

        let list = try await client.list()
        #expect(
            list.encoders.map(\.name) == ["tiny"] && list.heads.map(\.name) == ["letters", "letters2"]
                && list.runs.count == 2)

        let answer = try await client.predict(heads: ["letters", "letters2"], .texts(["cc a b"]), top: 2)
        #expect(answer.inputs[0].heads.map { $0.labels[0].label } == ["c", "c"])
        #expect(answer.inputs[0].heads[0].labels.count == 2)

        let embedded = try await client.embed(encoder: "tiny", .texts(["aa", "bb", "aa"]))
        #expect(embedded.rows == 3 && embedded.width == 32 && embedded.values.count == 96)
        #expect(Array(embedded.values[0..<32]) == Array(embedded.values[64..<96]))

        var evaluate = Hidra_V1_EvaluateRequest()
        evaluate.head = "letters"
        evaluate.data = data
        evaluate.inputColumn = "text"
        evaluate.labelColumn = "label"
        let report = try await client.evaluate(evaluate) { _ in }
        #expect(report.rows == 200 && report.metrics["accuracy"] ?? 0 > 0.9 && report.classes.count == 4)

        let run = try await client.show(trained.run.id)
        #expect(run.run.configuration.contains("\"dataDigest\"") && !run.history.isEmpty)
        #expect(try await client.remove("letters2", withHeads: false).removed == ["letters2"])
        await client.close()
        try await daemon.stop()
    }

    @Test(
        "what the user got wrong is an error that helps",
        arguments: [
            ("head", "not_found", "letter"), ("column", "not_found", "label"), ("encoder", "not_found", "tiny"),
            ("data", "not_found", "append"), ("kind", "invalid_argument", "linear"),
            ("exists", "already_exists", "letters"),
        ])
    func helpfulErrors(_ mistake: String, _ code: String, _ part: String) async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(80))
        _ = try await client.train(trainRequest("letters", data)) { _ in }
        var request = trainRequest("other", data)
        switch mistake {
        case "column": request.labelColumn = "lable"
        case "encoder": request.encoder = "tinny"
        case "data": request.data = "nothing"
        case "kind": request.kind.name = "transformer"
        case "exists": request.head = "letters"
        default: break
        }
        let failing = request
        let error = await #expect(throws: HidraError.self) {
            if mistake == "head" {
                _ = try await client.predict(heads: ["lettres"], .texts(["a"]))
            } else {
                _ = try await client.train(failing) { _ in }
            }
        }
        #expect(error?.code.rawValue == code)
        let whole = "\(error?.message ?? "") \(error?.details ?? [:])"
        #expect(whole.contains(part), "\(whole)")
        await client.close()
        try await daemon.stop()
    }

    @Test("status and predictions answer while a training runs, and cancel ends it")
    func duringTraining() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(256))
        _ = try await client.train(trainRequest("letters", data)) { _ in }

        let began = AsyncStream.makeStream(of: String.self)
        let training = Task {
            var request = trainRequest("long", data, epochs: 10_000)
            request.hyperparameters.batchSize = 1
            request.hyperparameters.patience = 10_000
            return try await client.train(request) { if $0.phase == "training" { began.continuation.yield($0.job) } }
        }
        var job = ""
        for await id in began.stream {
            job = id
            break
        }
        let status = try await client.status()
        #expect(status.jobs.map(\.id) == [job] && status.jobs[0].subject == "long" && status.jobs[0].client == "test")
        for _ in 0..<20 {
            #expect(
                try await client.predict(heads: ["letters"], .texts(["bb c d"])).inputs[0].heads[0].labels[0].label
                    == "b")
        }
        #expect(try await client.cancel(job: job))
        let error = await #expect(throws: HidraError.self) { try await training.value }
        #expect(error?.code == .cancelled)
        #expect(try await client.list().heads.map(\.name) == ["letters"])
        await client.close()
        try await daemon.stop()
    }

    @Test("a stop without grace marks the run interrupted; the next daemon has the earlier heads and goes on")
    func stopDuringTraining() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(256))
        _ = try await client.train(trainRequest("kept", data)) { _ in }
        let began = AsyncStream.makeStream(of: Void.self)
        let training = Task {
            var request = trainRequest("long", data, epochs: 10_000)
            request.hyperparameters.batchSize = 1
            request.hyperparameters.patience = 10_000
            return try await client.train(request) { if $0.phase == "training" { began.continuation.yield() } }
        }
        for await _ in began.stream { break }
        try await daemon.stop(grace: .zero)
        let error = await #expect(throws: HidraError.self) { try await training.value }
        #expect(error?.code == .interrupted || error?.code == .unavailable, "\(String(describing: error))")
        await client.close()

        let next = try RunningDaemon(folder: daemon.folder)
        let again = try await next.connect()
        let list = try await again.list()
        #expect(list.heads.map(\.name) == ["kept"])
        #expect(list.runs.map(\.state).sorted() == ["finished", "interrupted"])
        #expect(try await again.predict(heads: ["kept"], .texts(["aa b c"])).inputs.count == 1)
        await again.close()
        try await next.stop()
    }

    @Test("a second daemon for the same home says so")
    func onlyOne() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connect()
        let error = #expect(throws: TransportError.self) { try RunningDaemon(folder: daemon.folder) }
        #expect(error?.code == .alreadyRunning)
        await client.close()
        try await daemon.stop()
    }

    @Test("events are numbered without gaps and can be replayed")
    func events() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(80))
        _ = try await client.train(trainRequest("letters", data)) { _ in }
        var names: [String] = [], sequences: [UInt64] = []
        for try await event in client.events(from: 1) {
            names.append(event.name)
            sequences.append(event.sequence)
            if event.name == "head.registered" { break }
        }
        #expect(
            names.first == "daemon.started" && names.contains("encoder.registered") && names.contains("run.started"))
        #expect(sequences == Array(1...UInt64(sequences.count)))
        await client.close()
        try await daemon.stop()
    }
}
