import Foundation
import HidraProtocol
import Synchronization
import TestSupport
import Testing

@testable import Daemon
@testable import HidraClient

@Suite("What clients do in the daemon's place, over its sockets")
struct CallsEndToEndTests {
    private func request(_ head: String, _ data: String, epochs: UInt32 = 30) -> Hidra_V1_TrainRequest {
        var request = trainRequest(head, data, epochs: epochs)
        request.hyperparameters.learningRate = 0.02
        request.hyperparameters.batchSize = 16
        return request
    }

    /// Softmax cross-entropy as a client would write it.
    @Sendable private static func crossEntropy(_ batch: CallBatch) -> CallLoss {
        var loss = 0.0, gradients: [Float] = []
        for row in 0..<batch.rows {
            let scores = batch.outputs[row * batch.width..<(row + 1) * batch.width].map { exp(Double($0)) }
            let sum = scores.reduce(0, +), truth = Int(batch.classes[row])
            loss -= log(scores[truth] / sum) / Double(batch.rows)
            for (label, score) in scores.enumerated() {
                gradients.append(Float((score / sum - (label == truth ? 1 : 0)) / Double(batch.rows)))
            }
        }
        return CallLoss(loss, gradients: gradients)
    }

    private func expect(_ code: ErrorCode, _ body: () async throws -> Void) async -> HidraError? {
        let error = await #expect(throws: HidraError.self) { try await body() }
        #expect(error?.code == code, "\(error?.message ?? "")")
        return error
    }

    @Test("a loss and a metric of the client's own train a head, which answers without the client")
    func loss() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(240))
        let labels = Mutex<[String]>([]), steps = Mutex<[UInt64]>([]), epochs = Mutex<[UInt64]>([])
        var calls = CallHandlers()
        calls.loss = { batch in
            labels.withLock { if !batch.labels.isEmpty { $0 = batch.labels } }
            steps.withLock { $0.append(batch.step) }
            return Self.crossEntropy(batch)
        }
        calls.metrics = { batch in
            epochs.withLock { $0.append(batch.step) }
            let right = (0..<batch.rows).count { row in
                let scores = batch.outputs[row * batch.width..<(row + 1) * batch.width]
                return scores.indices.max { scores[$0] < scores[$1] }.map { $0 - row * batch.width } == Int(batch.classes[row])
            }
            return [("negative_loss", -Self.crossEntropy(batch).loss), ("share_right", Double(right) / Double(batch.rows))]
        }
        var training = request("own", data)
        training.holdout = 0.2
        let trained = try await client.train(training, calls: calls)
        #expect(labels.withLock { $0 } == ["a", "b", "c", "d"])
        let count = UInt64(trained.summary.steps)
        #expect(steps.withLock { $0 } == Array(0..<count), "each step once, in order")
        #expect(epochs.withLock { $0.last } == 0, "the test rows last")
        #expect(trained.summary.validationScore > -0.3 && trained.summary.validationScore < 0, "the client's own score")
        #expect(trained.head.metrics["share_right"] ?? 0 > 0.9 && trained.head.metrics["accuracy"] ?? 0 > 0.9)
        #expect(trained.head.calls.isEmpty, "it needs nobody any more")
        await client.close()
        let other = try await daemon.connect()
        #expect(try await other.predict(heads: ["own"], .texts(["bb a a"])).inputs[0].heads[0].labels[0].label == "b")
        await other.close()
        try await daemon.stop()
    }

    @Test("others are answered while a client computes its loss")
    func waiting() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(64))
        _ = try await client.train(request("plain", data, epochs: 1))
        let isWaiting = AsyncStream.makeStream(of: Void.self)
        let answered = DispatchSemaphore(value: 0)
        var calls = CallHandlers()
        calls.loss = { batch in
            if batch.step == 0 {
                isWaiting.continuation.yield()
                answered.wait()
            }
            return Self.crossEntropy(batch)
        }
        let slow = calls
        async let training = client.train(request("slow", data, epochs: 1), calls: slow)
        for await _ in isWaiting.stream { break }
        let other = try await daemon.connect()
        _ = try await other.predict(heads: ["plain"], .texts(["aa"]))
        let data2 = try await other.upload(columns: letterRows(64))
        _ = try await other.train(request("meanwhile", data2, epochs: 1))
        answered.signal()
        #expect(try await training.head.name == "slow")
        await other.close()
        await client.close()
        try await daemon.stop()
    }

    @Test("a client that fails, is late, answers nonsense or leaves ends its own training alone")
    func failures() async throws {
        struct Broken: Error, CustomStringConvertible { let description = "my loss is broken" }
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(64))
        var calls = CallHandlers()
        calls.loss = { _ in throw Broken() }
        let broken = calls
        let error = await expect(.invalidData) { _ = try await client.train(request("a", data), calls: broken) }
        #expect(error?.message.contains("my loss is broken") ?? false)
        calls.loss = { CallLoss(1, gradients: [Float](repeating: 0, count: $0.rows)) }
        let short = calls
        _ = await expect(.invalidData) { _ = try await client.train(request("b", data), calls: short) }
        calls.loss = { CallLoss(1, gradients: [Float](repeating: .nan, count: $0.rows * $0.width)) }
        let poisoned = calls
        _ = await expect(.invalidData) { _ = try await client.train(request("c", data), calls: poisoned) }
        let release = DispatchSemaphore(value: 0)
        calls.loss = { batch in
            release.wait()
            return Self.crossEntropy(batch)
        }
        let late = calls
        var hasty = request("d", data)
        hasty.callDeadlineMilliseconds = 100
        let impatient = hasty
        _ = await expect(.timeout) { _ = try await client.train(impatient, calls: late) }
        release.signal()

        let isWaiting = AsyncStream.makeStream(of: Void.self)
        calls.loss = { batch in
            isWaiting.continuation.yield()
            release.wait()
            return Self.crossEntropy(batch)
        }
        let leaving = calls
        let gone = try await daemon.connect("leaver")
        let theirs = try await gone.upload(columns: letterRows(64))
        let training = Task { try await gone.train(request("e", theirs), calls: leaving) }
        for await _ in isWaiting.stream { break }
        await gone.close()
        _ = await training.result
        release.signal()
        // Its run is over, and the name is free again.
        let deadline = ContinuousClock.now + .seconds(10)
        while try await client.list().runs.contains(where: { $0.state == "running" }), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await client.list().heads.isEmpty)
        _ = try await client.train(request("e", data, epochs: 2))
        await client.close()
        try await daemon.stop()
    }

    @Test("a head trained with a client's preprocessing and predictions is asked through a client that serves it")
    func serving() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        // Upside down: only the preprocessing makes the first letter the one that decides.
        guard case .texts(let texts) = letterRows(240)[0].values else { return #expect(Bool(false)) }
        let data = try await client.upload(columns: [
            UploadColumn("text", texts.map { String($0.reversed()) }), letterRows(240)[1],
        ])
        var calls = CallHandlers()
        calls.preprocess = { columns in columns.map { $0.map { String($0.reversed()) } } }
        calls.postprocess = { batch in
            (0..<batch.rows).map { row in
                var prediction = Hidra_V1_HeadPrediction(), score = Hidra_V1_Score()
                let outputs = batch.outputs[row * batch.width..<(row + 1) * batch.width]
                score.label = "class \((outputs.indices.max { outputs[$0] < outputs[$1] } ?? 0) - row * batch.width)"
                score.score = 1
                prediction.labels = [score]
                return prediction
            }
        }
        let handlers = calls
        let trained = try await client.train(request("served", data), calls: handlers)
        #expect(Set(trained.head.calls) == [.preprocess, .postprocess] && trained.head.servedBy == "test")
        #expect(trained.summary.validationScore > 0.9)
        _ = try await client.train(request("plain", data, epochs: 1))

        let error = await expect(.unavailable) { _ = try await client.predict(heads: ["served"], .texts(["c aa"])) }
        #expect(error?.message.contains("\"test\"") ?? false)
        let server = try await daemon.connect("server")
        let service = Task { try await server.serve(["served"], calls: handlers) }
        let deadline = ContinuousClock.now + .seconds(10)
        var answer: Hidra_V1_PredictReply?
        while answer == nil, ContinuousClock.now < deadline {
            do { answer = try await client.predict(heads: ["plain", "served"], .texts(["c a aa", "a a dd"])) } catch {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        #expect(answer?.inputs.map { $0.heads[1].labels[0].label } == ["class 0", "class 3"])
        #expect(answer?.inputs.allSatisfy { $0.heads.count == 2 && !$0.heads[0].labels.isEmpty } ?? false)
        var evaluation = Hidra_V1_EvaluateRequest()
        (evaluation.head, evaluation.data, evaluation.inputColumn, evaluation.labelColumn) = ("served", data, "text", "label")
        #expect(try await client.evaluate(evaluation).metrics["accuracy"] ?? 0 > 0.9)
        _ = await expect(.invalidArgument) { try await client.serve(["plain"], calls: handlers) }
        service.cancel()
        _ = await service.result
        let gone = ContinuousClock.now + .seconds(10)
        var code: ErrorCode?
        while code != .unavailable, ContinuousClock.now < gone {
            do { _ = try await client.predict(heads: ["served"], .texts(["c aa"])) } catch let error as HidraError { code = error.code }
        }
        #expect(code == .unavailable)
        await server.close()
        await client.close()
        try await daemon.stop()
    }
}
