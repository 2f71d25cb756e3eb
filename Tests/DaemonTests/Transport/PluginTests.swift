import Daemon
import HidraClient
import HidraPlugin
import HidraProtocol
import Testing

@Suite("The plugin interface")
struct PluginTests {
    /// A daemon that knows one encoder and answers as if it had trained.
    private static func daemon() throws -> EchoDaemon {
        try EchoDaemon(
            configuration: EchoDaemon.smallMessages,
            answer: { message, loop in
                switch message.envelope.kind {
                case .list:
                    var reply = Hidra_V1_ListReply()
                    reply.encoders = [Hidra_V1_Encoder()]
                    reply.encoders[0].name = "minilm"
                    loop.reply(.listReply(reply), to: message)
                case .pull(let pull):
                    var reply = Hidra_V1_PullReply()
                    reply.encoder.name = pull.source
                    reply.fetched = true
                    loop.reply(.pullReply(reply), to: message)
                case .appendRows(let append):
                    var reply = Hidra_V1_AppendRowsReply()
                    reply.rows = append.firstRow + UInt64(append.columns[0].values.count)
                    loop.reply(.appendRowsReply(reply), to: message)
                case .train(let train):
                    var progress = Hidra_V1_Progress()
                    progress.phase = "training"
                    (progress.done, progress.total) = (1, 2)
                    loop.reply(.progress(progress), to: message, partial: true)
                    var reply = Hidra_V1_TrainReply()
                    reply.head.name = train.head
                    reply.head.labels = ["a", "b"]
                    reply.summary.cacheHits = 3
                    reply.summary.totalSeconds = 1.5
                    if train.holdout > 0 { reply.test.metrics = ["accuracy": 0.75] }
                    loop.reply(.trainReply(reply), to: message)
                case .evaluate(let evaluate):
                    var reply = Hidra_V1_EvaluateReply()
                    reply.head = evaluate.head
                    reply.metrics = ["accuracy": 1]
                    loop.reply(.evaluateReply(reply), to: message)
                case .predict(let predict):
                    var reply = Hidra_V1_PredictReply()
                    reply.inputs = predict.texts.map { text in
                        var answer = Hidra_V1_Prediction()
                        answer.heads = predict.heads.map { head in
                            var prediction = Hidra_V1_HeadPrediction()
                            if head == "number" {
                                prediction.value = Double(text.count)
                            } else {
                                prediction.labels = [Hidra_V1_Score()]
                                prediction.labels[0].label = "\(head):\(text)"
                            }
                            return prediction
                        }
                        return answer
                    }
                    reply.encoded = UInt64(predict.texts.count)
                    loop.reply(.predictReply(reply), to: message)
                case .dropRows: loop.reply(.dropRowsReply(.init()), to: message)
                default: break
                }
            })
    }

    private static func connect(_ daemon: EchoDaemon) async throws -> TaskPlugin {
        try await TaskPlugin.connect(
            name: "test-plugin", version: "1.0", home: daemon.home.home.path, startDaemon: false)
    }

    @Test("Two heads learn from one upload, report progress, and answer together")
    func workflow() async throws {
        let daemon = try Self.daemon()
        let plugin = try await Self.connect(daemon)
        #expect(try await plugin.prepare(encoder: "minilm") == false)
        #expect(try await plugin.prepare(encoder: "other") == true)
        let data = try await plugin.upload(
            [("text", ["one", "two"]), ("intent", ["a", "b"]), ("size", ["1", "2"])], textColumn: "text")
        #expect(data.rows == 2)
        let progress = Recorder<WorkProgress>()
        let heads = [
            HeadSpecification(name: "intent", labelColumn: "intent", replace: true),
            HeadSpecification(name: "size", labelColumn: "size", task: .regress, kind: .mlp(hidden: 64, dropout: 0.1)),
        ]
        let trained = try await plugin.attach(heads, to: data, encoder: "minilm", holdout: 0.2) { progress.append($0) }
        #expect(trained.map(\.name) == ["intent", "size"])
        #expect(trained[0].evaluation?.metrics == ["accuracy": 0.75])
        #expect(trained[0].cacheHits == 3 && trained[0].seconds.total == 1.5)
        #expect(progress.values.map(\.subject) == ["intent", "size"])
        #expect(progress.values[0].total == 2)
        let requests = daemon.received.values.compactMap { message -> Hidra_V1_TrainRequest? in
            if case .train(let train) = message.envelope.kind { train } else { nil }
        }
        #expect(requests.map(\.data) == [data.name, data.name])
        #expect(requests.map(\.task) == [.classify, .regress])
        #expect(requests.map(\.kind.name) == ["linear", "mlp"])
        #expect(requests[1].kind.hidden == 64 && requests[0].replace && !requests[1].replace)
        #expect(try await plugin.evaluate("intent", on: data, labelColumn: "intent").metrics["accuracy"] == 1)
        try await plugin.discard(data)
        await plugin.close()
        await daemon.stop()
    }

    @Test("Texts above the request limit are asked for in parts and answered in order")
    func parts() async throws {
        let daemon = try Self.daemon()
        let plugin = try await Self.connect(daemon)
        // Ten texts are the limit.
        let texts = (0..<25).map { "text \($0)" }
        let answers = try await plugin.predict(texts, heads: ["intent", "number"])
        #expect(answers.texts.map { $0[0].label } == texts.map { "intent:\($0)" })
        #expect(answers.texts.map { $0[1].value } == texts.map { Double($0.count) })
        #expect(answers.encoded == 25)
        #expect(try await plugin.predict([], heads: ["intent"]).texts.isEmpty)
        await plugin.close()
        await daemon.stop()
    }

    @Test("A column that is not there is named before anything is sent")
    func columns() async throws {
        let daemon = try Self.daemon()
        let plugin = try await Self.connect(daemon)
        let upload = await #expect(throws: HidraError.self) {
            try await plugin.upload([("text", ["a"])], textColumn: "message")
        }
        #expect(upload?.code == .notFound && upload?.message.contains("text") == true)
        let data = try await plugin.upload([("text", ["a"]), ("intent", ["b"])], textColumn: "text")
        let attach = await #expect(throws: HidraError.self) {
            try await plugin.attach([HeadSpecification(name: "x", labelColumn: "urgency")], to: data, encoder: "minilm")
        }
        #expect(attach?.message.contains("text, intent") == true)
        #expect(!daemon.received.values.contains { if case .train = $0.envelope.kind { true } else { false } })
        await plugin.close()
        await daemon.stop()
    }
}
