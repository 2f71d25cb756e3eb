import Foundation
import HidraClient
import HidraProtocol
import TestSupport
import Testing

@testable import Daemon

@Suite("Heads that label the words of texts, over the daemon's sockets")
struct TaggingEndToEndTests {
    /// "aa" begins a piece, "bb" continues one, but only after "aa" or another "bb": a chain's business.
    private func rows(_ count: Int) -> [UploadColumn] {
        let words = ["aa", "bb", "cc", "dd"]
        var texts: [String] = [], tags: [String] = []
        var state: UInt32 = 1
        for row in 0..<count {
            let own = (0..<(3 + row % 6)).map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return words[Int(state >> 24) % 4]
            }
            var before = "O"
            tags.append(
                own.map { word -> String in
                    before = word == "aa" ? "B-x" : word == "bb" && before != "O" ? "I-x" : "O"
                    return before
                }.joined(separator: " "))
            texts.append(own.joined(separator: row % 3 == 0 ? "  " : " "))
        }
        return [UploadColumn("text", texts), UploadColumn("label", tags)]
    }

    private func request(_ head: String, _ data: String) -> Hidra_V1_TrainRequest {
        var request = trainRequest(head, data, epochs: 60)
        request.task = .tag
        request.tap = "0"
        request.hyperparameters.learningRate = 0.05
        return request
    }

    @Test("a tagger learns words and what follows what, answers with pieces of the text, and survives a restart")
    func tagging() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: rows(200))
        var training = request("pieces", data)
        training.holdout = 0.2
        let trained = try await client.train(training)
        #expect(trained.head.task == "tag" && trained.head.kind == "tagger" && trained.head.labels == ["B-x", "I-x", "O"])
        #expect(trained.head.metrics["span_f1"] ?? 0 > 0.95, "\(trained.head.metrics)")
        let texts = ["cc aa  bb dd", "bb cc", "dd aa aa bb", ""]
        let answers = try await client.predict(heads: ["pieces"], .texts(texts))
        let pieces = answers.inputs.map { input in input.heads[0].spans.map { [Int($0.start), Int($0.end)] } }
        #expect(pieces == [[[3, 9]], [], [[3, 5], [6, 11]], []])
        #expect(answers.inputs[0].heads[0].spans[0].label == "x" && answers.inputs[0].heads[0].spans[0].score > 0.5)
        for (row, text) in texts.enumerated() {
            #expect(try await client.predict(heads: ["pieces"], .texts([text])).inputs[0] == answers.inputs[row])
        }
        var evaluation = Hidra_V1_EvaluateRequest()
        (evaluation.head, evaluation.data, evaluation.inputColumn, evaluation.labelColumn) = ("pieces", data, "text", "label")
        let report = try await client.evaluate(evaluation)
        #expect(report.metrics["span_f1"] ?? 0 > 0.95 && report.classes.map(\.label) == ["x"])

        // Beside a head of another task.
        var other = trainRequest("whole", try await client.upload(columns: letterRows(64)), epochs: 2)
        other.head = "whole"
        _ = try await client.train(other)
        let both = try await client.predict(heads: ["whole", "pieces"], .texts(texts))
        #expect(both.inputs[0].heads[1] == answers.inputs[0].heads[0] && !both.inputs[0].heads[0].labels.isEmpty)
        await client.close()
        try await daemon.stop()

        let next = try RunningDaemon(folder: daemon.folder)
        let later = try await next.connect()
        #expect(try await later.predict(heads: ["pieces"], .texts(texts)).inputs == answers.inputs)
        await later.close()
        try await next.stop()
    }

    @Test("a text whose words and labels are not as many is refused with its row")
    func refusals() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: [
            UploadColumn("text", ["aa bb", "aa bb cc"]), UploadColumn("label", ["B-x O", "O O"]),
        ])
        var error = await #expect(throws: HidraError.self) { try await client.train(self.request("short", data)) }
        #expect(error?.code == .invalidData && error?.details["row"] == "2")
        var wrong = request("kind", data)
        wrong.kind.name = "linear"
        let linear = wrong
        error = await #expect(throws: HidraError.self) { try await client.train(linear) }
        #expect(error?.code == .invalidArgument)
        await client.close()
        try await daemon.stop()
    }
}
