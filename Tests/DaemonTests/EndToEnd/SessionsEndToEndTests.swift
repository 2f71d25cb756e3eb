import Foundation
import HidraProtocol
import Synchronization
import TestSupport
import Testing

@testable import Daemon
@testable import HidraClient

/// A document of two heads on the tiny encoder.
private func document(
    _ name: String = "pair", train: String = "{epochs: 3, batch: 16, learning_rate: 0.02}", extra: String = "", tone: String = ""
) -> String {
    """
    hidra: 1
    name: \(name)
    encoder: tiny
    heads:
      \(name)-first: {data: rows.csv, text: text, label: label, holdout: 0.2}
      \(name)-second: {data: rows.csv, text: text, label: label, holdout: 0.2, kind: mlp, hidden: 16, dropout: 0.1\(tone)}
    train: \(train)
    \(extra)
    """
}

private let lora = "{what: lora, lora: {rank: 2, targets: [query, value]}, epochs: 3, batch: 16, learning_rate: 0.02, body_learning_rate: 0.01}"
private let top = "{what: top, top: 1, epochs: 3, batch: 16, learning_rate: 0.02, body_learning_rate: 0.001}"

extension HidraClient {
    fileprivate func start(_ document: String, rows: Int = 240, sha256: String = "") async throws -> Hidra_V1_StartSessionReply {
        var request = Hidra_V1_StartSessionRequest()
        request.document = document
        var file = Hidra_V1_SessionFile()
        file.path = "rows.csv"
        file.data = try await upload(columns: letterRows(rows))
        file.sha256 = sha256
        request.files = [file]
        return try await startSession(request)
    }

    fileprivate func finish(_ name: String) async throws -> Hidra_V1_Session { try await watchSession(name, interval: 20) { _ in } }
}

/// What must be the same bytes: heads' digests, metrics and curves.
private func outcome(_ session: Hidra_V1_Session) -> [String] {
    session.heads.map { head in
        let curve = head.epochs.map { "\($0.step):\($0.loss.bitPattern):\($0.validationScore.bitPattern)" }.joined(separator: ",")
        let name = head.name.split(separator: "-").last ?? ""
        return "\(name) \(head.digest) \(head.bestEpoch) \(head.metrics.sorted { $0.key < $1.key }) \(curve)"
    }
}

@Suite("Sessions, over the daemon's sockets")
struct SessionsEndToEndTests {
    private func expect(_ code: ErrorCode, _ says: String, _ body: () async throws -> Void) async {
        let error = await #expect(throws: HidraError.self) { try await body() }
        #expect(error?.code == code && error?.message.contains(says) == true, "\(error?.code.rawValue ?? ""): \(error?.message ?? "")")
    }

    @Test("heads on a frozen encoder are those that would be trained one by one")
    func frozen() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let started = try await client.start(document())
        #expect(started.session.state == "running" && started.estimate.neededBytes > 0)
        let messages = Mutex(0)
        let session = try await client.watchSession("pair", interval: 20) { _ in messages.withLock { $0 += 1 } }
        #expect(session.state == "finished", "\(session.message)")
        #expect(messages.withLock { $0 } > 0)
        #expect(session.heads.allSatisfy { $0.epochs.count == 3 && $0.metrics["accuracy"] != nil })
        #expect(session.history.map(\.name) == ["started", "finished"])

        var alone = trainRequest("alone", try await client.upload(columns: letterRows(240)), epochs: 3)
        alone.hyperparameters.batchSize = 16
        alone.hyperparameters.learningRate = 0.02
        alone.holdout = 0.2
        let trained = try await client.train(alone)
        #expect(trained.head.digest == session.heads[0].digest)
        #expect(try await client.predict(heads: ["pair-first", "pair-second"], .texts(["bb a a"])).inputs[0].heads.count == 2)
        let shown = try await client.show(session.heads[1].run)
        #expect(shown.run.head == "pair-second" && shown.run.state == "finished")
        await client.close()
        try await daemon.stop()
    }

    @Test("a trained body leaves an encoder of the session's name, which its heads read", arguments: [lora, top])
    func body(_ train: String) async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        _ = try await client.start(document("adapted", train: train))
        let session = try await client.finish("adapted")
        #expect(session.state == "finished", "\(session.message)")
        #expect(session.adaptedEncoder == "adapted")
        let listed = try await client.list()
        #expect(Set(listed.encoders.map(\.name)) == ["tiny", "adapted"])
        #expect(listed.heads.allSatisfy { $0.encoder == "adapted" })
        #expect(session.heads.allSatisfy { $0.metrics["accuracy"] ?? 0 > 0.5 })
        // What was measured is what answers.
        let answers = try await client.predict(heads: ["adapted-first"], .texts(["aa b c", "dd a a"]))
        #expect(answers.inputs.map { $0.heads[0].labels[0].label } == ["a", "d"])
        await client.close()
        try await daemon.stop()
    }

    @Test("paused and resumed, or stopped with the daemon and gone on with the next, a session ends with the same bytes", arguments: ["{epochs: 40, batch: 16, learning_rate: 0.02, patience: 40}", lora.replacing("epochs: 3", with: "epochs: 12")])
    func resume(_ train: String) async throws {
        let checkpoints = "checkpoint: {steps: 7}"
        var daemon = try RunningDaemon()
        var client = try await daemon.connectWithEncoder()
        _ = try await client.start(document("whole", train: train, extra: checkpoints))
        let undisturbed = try await client.finish("whole")
        #expect(undisturbed.state == "finished", "\(undisturbed.message)")

        _ = try await client.start(document("cut", train: train, extra: checkpoints))
        let paused = try await client.controlSession("cut", .pause).session
        #expect(paused.state == "paused" || paused.state == "finished", "\(paused.state)")
        if paused.state == "paused" {
            _ = try await client.controlSession("cut", .resume)
            await client.close()
            // In the middle of it, as far as one can tell.
            try await daemon.stop(grace: .zero)
            daemon = try RunningDaemon(folder: daemon.folder)
            client = try await daemon.connect()
        }
        let session = try await client.finish("cut")
        #expect(session.state == "finished", "\(session.message)")
        #expect(outcome(session) == outcome(undisturbed))
        await client.close()
        try await daemon.stop()
    }

    @Test("a head whose loss a client computes waits for it when it is gone, and comes to the same bytes", arguments: ["{epochs: 3, batch: 16, learning_rate: 0.02}", lora])
    func loss(_ train: String) async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder(), text = document("ours", train: train, tone: ", loss: plugin squares")
        await expect(.unavailable, "squares") { _ = try await client.start(text) }
        func serve(for steps: Int) async throws -> Task<Void, any Error> {
            let server = try await daemon.connect("squares")
            var calls = CallHandlers()
            let left = Mutex(steps), gone = Mutex<Task<Void, Never>?>(nil)
            calls.loss = { batch in
                let isLast = left.withLock { left in
                    left -= 1
                    return left == 0
                }
                // Goes in the middle of an answer.
                if isLast { gone.withLock { $0 = Task { await server.close() } }; Thread.sleep(forTimeInterval: 0.05) }
                var loss = 0.0, gradients = [Float](repeating: 0, count: batch.rows * batch.width)
                for row in 0..<batch.rows {
                    for label in 0..<batch.width {
                        let error = batch.outputs[row * batch.width + label] - (Int(batch.classes[row]) == label ? 1 : 0)
                        loss += Double(error * error) / Double(batch.rows)
                        gradients[row * batch.width + label] = 2 * error / Float(batch.rows)
                    }
                }
                return CallLoss(loss, gradients: gradients)
            }
            let handlers = calls
            return Task { try await server.serve([], losses: ["squares"], calls: handlers) }
        }
        var outcomes: [[String]] = []
        for (name, steps) in [("ours", Int.max), ("cut", 5)] {
            let serving = try await serve(for: steps)
            // Offered a moment after it was asked for.
            let deadline = ContinuousClock.now + .seconds(10)
            while true {
                do {
                    _ = try await client.start(document(name, train: train, tone: ", loss: plugin squares"))
                    break
                } catch let error as HidraError where error.code == .unavailable && ContinuousClock.now < deadline { await Task.yield() }
            }
            if steps != Int.max {
                await #expect(throws: HidraError.self) { try await serving.value }
                let again = try await serve(for: Int.max)
                let session = try await client.finish(name)
                #expect(session.state == "finished", "\(session.message)")
                outcomes.append(outcome(session))
                again.cancel()
            } else {
                let session = try await client.finish(name)
                #expect(session.state == "finished", "\(session.message)")
                outcomes.append(outcome(session))
                serving.cancel()
                _ = await serving.result
            }
        }
        #expect(outcomes[0] == outcomes[1])
        await client.close()
        try await daemon.stop()
    }

    @Test("what cannot be is refused with what to do")
    func refused() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        await expect(.invalidArgument, "`epochs`") { _ = try await client.start(document(train: "{epohcs: 3}")) }
        await expect(.unsupported, "version 2") { _ = try await client.start(document().replacing("hidra: 1", with: "hidra: 2")) }
        await expect(.invalidArgument, "stands twice") { _ = try await client.start(document().replacing("pair-second", with: "pair-first")) }
        await expect(.invalidArgument, "`query`") { _ = try await client.start(document(train: lora.replacing("query", with: "querry"))) }
        await expect(.notFound, "tyni") { _ = try await client.start(document().replacing("encoder: tiny", with: "encoder: tyni")) }
        await expect(.notFound, "text") { _ = try await client.start(document().replacing("text: text", with: "text: texts")) }
        await expect(.limitExceeded, "budget is 1 MB") { _ = try await client.start(document(extra: "budget: {memory_mb: 1}")) }
        await expect(.notFound, "session 'none'") { _ = try await client.controlSession("none", .pause) }
        #expect(try await client.listSessions().isEmpty)

        _ = try await client.start(document(train: "{epochs: 2000, patience: 2000, batch: 4}"), sha256: "aaaa")
        await expect(.alreadyExists, "already a session") { _ = try await client.start(document()) }
        await expect(.conflict, "running") { _ = try await client.controlSession("pair", .remove) }
        let paused = try await client.controlSession("pair", .pause).session
        #expect(paused.state == "paused" && paused.checkpointDigest.count == 64)
        var edited = Hidra_V1_SessionFile()
        (edited.path, edited.sha256) = ("rows.csv", "bbbb")
        await expect(.conflict, "bbbb") { _ = try await client.controlSession("pair", .resume, files: [edited]) }
        // The session's own copy counts as well.
        let folder = daemon.home.path + "/sessions/" + paused.id
        let copy = folder + "/rows-0.json", whole = try Data(contentsOf: URL(filePath: copy))
        try Data(String(decoding: whole, as: UTF8.self).replacing("aa a", with: "ab a", maxReplacements: 1).utf8).write(to: URL(filePath: copy))
        _ = try await client.controlSession("pair", .resume)
        let refused = try await client.finish("pair")
        #expect(refused.state == "paused" && refused.message.contains("SHA-256"), "\(refused.state): \(refused.message)")
        try whole.write(to: URL(filePath: copy))
        // And the encoder's weights.
        _ = try await client.remove("tiny", withHeads: false)
        let other = daemon.folder.url.appending(path: "other")
        try TinyEncoder.write(to: other, seed: 2)
        var pull = Hidra_V1_PullRequest()
        (pull.source, pull.name) = (other.path, "tiny")
        _ = try await client.pull(pull) { _ in }
        await expect(.conflict, "another version of encoder 'tiny'") { _ = try await client.controlSession("pair", .resume) }
        let cancelled = try await client.controlSession("pair", .cancel).session
        #expect(cancelled.state == "cancelled")
        await expect(.conflict, "ended") { _ = try await client.controlSession("pair", .resume) }
        #expect(try await client.controlSession("pair", .remove).bytesFreed > 0)
        #expect(!FileManager.default.fileExists(atPath: folder))
        await client.close()
        try await daemon.stop()
    }

    @Test("a budget that is used up pauses the session with a checkpoint; resuming grants it again")
    func budget() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        _ = try await client.start(document(train: "{epochs: 10000, patience: 10000, batch: 1, learning_rate: 0.0001}", extra: "budget: {core_seconds: 0.2}"))
        let session = try await client.finish("pair")
        #expect(session.state == "paused" && session.message.contains("0.2 core-seconds"), "\(session.state): \(session.message)")
        #expect(session.checkpointStep > 0 && session.checkpointStep == session.step)
        _ = try await client.controlSession("pair", .resume)
        let again = try await client.finish("pair")
        #expect(again.state == "paused" && again.checkpointStep > session.checkpointStep)
        await client.close()
        try await daemon.stop()
    }
}
