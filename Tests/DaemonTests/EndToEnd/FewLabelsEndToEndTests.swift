import HidraClient
import HidraProtocol
import Testing

@testable import Daemon

@Suite("Few labels, over the daemon's sockets")
struct FewLabelsEndToEndTests {
    @Test("a search, labels of the head's own and the calibration come back with the head")
    func training() async throws {
        let daemon = try RunningDaemon(), client = try await daemon.connectWithEncoder()
        var request = trainRequest("h", try await client.upload(columns: letterRows(160)), epochs: 8)
        request.holdout = 0.2
        request.hyperparameters.validation = 0.2
        request.search.configurations = 6
        request.selfTraining.data = try await client.upload(columns: [letterRows(200)[0]])
        request.selfTraining.confidence = 0.5
        request.selfTraining.rounds = 1
        let reply = try await client.train(request)
        #expect(reply.trials.count == 6 && reply.trials.map(\.number) == [1, 2, 3, 4, 5, 6])
        #expect(reply.trials.count(where: \.chosen) == 1)
        #expect(reply.selfTraining.first?.taken == 0 && reply.selfTraining.count(where: \.kept) == 1)
        #expect(reply.calibration.temperature > 0 && reply.test.metrics["ece"] != nil)
        await #expect(throws: HidraError.self) {
            var wrong = request
            wrong.head = "wrong"
            wrong.search.configurations = 10_000
            _ = try await client.train(wrong)
        }
        await client.close()
        try await daemon.stop()
    }

    @Test("two encoders are joined by name, and an unknown fusion is refused with those there are")
    func fusion() async throws {
        let daemon = try RunningDaemon(), client = try await daemon.connectWithEncoder()
        var request = trainRequest("joined", try await client.upload(columns: letterRows(80)), epochs: 4)
        request.holdout = 0.25
        request.inputs = [("", "tiny"), ("1", "tiny")].map { tap, encoder in
            var input = Hidra_V1_HeadInput()
            (input.column, input.encoder, input.tap) = ("text", encoder, tap)
            return input
        }
        for kind in ["concat", "gate", "cross-attention"] {
            request.head = kind
            request.kind.name = kind
            let reply = try await client.train(request)
            #expect(reply.head.kind == kind && reply.head.inputs.count == 2)
            let answer = try await client.predict(heads: [kind], .texts(["aa b c"]))
            #expect(answer.inputs[0].heads[0].labels.count == 1)
        }
        request.head = "none"
        request.kind.name = "blend"
        let error = await #expect(throws: HidraError.self) { _ = try await client.train(request) }
        #expect(error?.message.contains("cross-attention") == true)
        await client.close()
        try await daemon.stop()
    }

    @Test("learning curve, groups and suggestions are answered, and what they cannot do is said")
    func verbs() async throws {
        let daemon = try RunningDaemon(), client = try await daemon.connectWithEncoder()
        let columns = letterRows(160), data = try await client.upload(columns: columns)
        var curve = Hidra_V1_LearningCurveRequest()
        curve.training = trainRequest("", data, epochs: 5)
        curve.shares = [0.2, 1]
        curve.seeds = 2
        let learnt = try await client.learningCurve(curve)
        #expect(learnt.points.count == 2 && learnt.points.allSatisfy { $0.scores.count == 2 } && !learnt.answer.isEmpty)
        #expect(learnt.metric == "accuracy" && learnt.testRows == 32)

        var cluster = Hidra_V1_ClusterRequest()
        (cluster.encoder, cluster.data, cluster.inputColumn, cluster.clusters) = ("tiny", data, "text", 4)
        let groups = try await client.cluster(cluster)
        #expect(groups.clusters.count == 4 && groups.assignment.count == 160 && groups.distances.count == 160)
        #expect(groups.clusters.map(\.rows).reduce(0, +) == 160 && groups.clusters.allSatisfy { !$0.nearest.isEmpty })
        #expect(groups.assignment.allSatisfy { $0 < 4 })
        cluster.clusters = 1_000_000
        await #expect(throws: HidraError.self) { _ = try await client.cluster(cluster) }

        _ = try await client.train(trainRequest("h", data, epochs: 5))
        var suggest = Hidra_V1_SuggestRequest()
        (suggest.head, suggest.data, suggest.inputColumns, suggest.count) = ("h", data, ["text"], 5)
        let suggested = try await client.suggest(suggest)
        #expect(suggested.suggestions.count == 5 && suggested.suggestions.allSatisfy { $0.row < 160 && !$0.labels.isEmpty })
        suggest.count = 0
        await #expect(throws: HidraError.self) { _ = try await client.suggest(suggest) }
        suggest.count = 5
        suggest.head = "nobody"
        await #expect(throws: HidraError.self) { _ = try await client.suggest(suggest) }
        await client.close()
        try await daemon.stop()
    }
}
