import HidraProtocol
import Testing

@testable import hidra

private func classReport(_ label: String, f1: Double, support: UInt64) -> Hidra_V1_ClassReport {
    var report = Hidra_V1_ClassReport()
    (report.label, report.f1, report.precision, report.recall, report.support) = (label, f1, f1, f1, support)
    return report
}

@Suite("Reports")
struct ReportTests {
    @Test("Metrics come under their usual names and in their usual order")
    func metrics() {
        let classify = EvaluationReport.metrics(["macro_f1": 0.5, "accuracy": 0.6, "log_loss": 1])
        #expect(classify.map(\.title) == ["accuracy", "macro-F1", "log loss"])
        let regress = EvaluationReport.metrics(["r2": 0.5, "mae": 0.6, "rmse": 1])
        #expect(regress.map(\.title) == ["MAE", "RMSE", "R²"])
    }

    @Test("Of many classes only the worst are shown, unless all are asked for")
    func classes() {
        var reply = Hidra_V1_EvaluateReply()
        reply.head = "bank"
        reply.classes = (0..<77).map { classReport("class\($0)", f1: Double($0) / 100, support: 40) }.shuffled()
        let report = EvaluationReport(reply: reply)
        let short = report.render(allClasses: false, width: nil, style: .plain)
        #expect(short.contains("class0 ") && short.contains("class19 "))
        #expect(!short.contains("class20 "))
        #expect(short.contains("worst 20 of 77"))
        let long = report.render(allClasses: true, width: nil, style: .plain)
        #expect(long.contains("class76 ") && !long.contains("worst 20"))
        #expect(report.worstFirst.map(\.label).first == "class0")
    }

    @Test("Of classes equally bad the one with more rows comes first")
    func ties() {
        var reply = Hidra_V1_EvaluateReply()
        reply.classes = [classReport("few", f1: 0, support: 1), classReport("many", f1: 0, support: 9)]
        #expect(EvaluationReport(reply: reply).worstFirst.map(\.label) == ["many", "few"])
    }

    @Test("Training ends with what was done, what to know and what to try next")
    func training() {
        var reply = Hidra_V1_TrainReply()
        reply.head.name = "bank"
        reply.head.kind = "linear"
        reply.head.encoder = "minilm"
        reply.head.labels = ["a", "b"]
        reply.head.parameters = 770
        reply.run.id = "run-1"
        reply.summary.trainRows = 900
        reply.summary.validationRows = 100
        reply.summary.cacheHits = 20
        reply.summary.cacheMisses = 980
        reply.summary.truncatedRows = 3
        reply.summary.extractSeconds = 0.5
        reply.summary.trainSeconds = 0.25
        reply.summary.totalSeconds = 0.75
        reply.summary.steps = 420
        reply.summary.stepsPerSecond = 1680
        reply.summary.learningRate = 0.01
        reply.summary.notes = ["seen", "label 'x' occurs once"]
        reply.test.rows = 50
        reply.test.metrics = ["accuracy": 0.93]
        let report = TrainingReport(reply: reply, seenNotes: ["seen"], sample: ["Where is \"it\"?"])
        #expect(
            report.render(style: .plain) == """
                head      bank (linear, 2 labels, 770 parameters) on minilm
                rows      900 to train, 100 to validate
                features  980 encoded in 0.50 s (1,960/s), 20 from the cache, 3 cut at the encoder's limit
                training  420 steps in 0.25 s, 1,680 steps/s, learning rate 0.01
                test      accuracy 0.9300 on 50 rows
                time      0.75 s: features 0.50 s, training 0.25 s
                run       run-1
                note: label 'x' occurs once

                Try it:  hidra predict bank 'Where is "it"?'

                """)
    }

    @Test("A head on cached features says so")
    func cached() {
        var reply = Hidra_V1_TrainReply()
        reply.summary.cacheHits = 10_003
        reply.summary.extractSeconds = 0.012
        let text = TrainingReport(reply: reply).render(style: .plain)
        #expect(text.contains("features  all 10,003 from the cache, 12 ms\n"))
    }

    @Test("An empty registry tells how to begin")
    func emptyListing() {
        let listing = RegistryListing(reply: Hidra_V1_ListReply(), now: 0)
        #expect(listing.render(runs: false, width: nil, style: .plain).contains("hidra pull minilm"))
    }

    @Test("The listing shows a head's metric, size and age")
    func listing() {
        var reply = Hidra_V1_ListReply()
        var head = Hidra_V1_Head()
        (head.name, head.encoder, head.task, head.kind) = ("bank", "minilm", "classify", "linear")
        (head.labels, head.parameters, head.created) = (["a", "b"], 29_645, 1000)
        head.metrics = ["accuracy": 0.93, "macro_f1": 0.92]
        reply.heads = [head]
        let lines = RegistryListing(reply: reply, now: 4600).render(runs: false, width: nil, style: .plain)
            .split(separator: "\n")
        #expect(lines.last == "bank  minilm   classify  linear       2  accuracy 0.9300  118.6 kB  1 h ago")
    }

    @Test("A run shows the course of its metrics")
    func run() throws {
        var reply = Hidra_V1_ShowReply()
        reply.run.id = "run-1"
        reply.run.state = "interrupted"
        reply.history = [UInt64(3), 1, 2].map { step in
            var point = Hidra_V1_MetricPoint()
            (point.step, point.name, point.value) = (step, "loss", 4 - Double(step))
            return point
        }
        let text = try ItemDescription(reply: reply, now: 10).render(width: 80, style: .plain)
        #expect(text.contains("interrupted"))
        #expect(text.contains("3.0000 → 1.0000  █▅▁"))
    }

    @Test("An answer of a kind from the future is an error, not an empty page")
    func unknownItem() {
        let description = ItemDescription(reply: Hidra_V1_ShowReply(), now: 0)
        #expect(throws: (any Error).self) { try description.render(width: nil, style: .plain) }
        #expect(throws: (any Error).self) { try description.json }
    }

    @Test(
        "Jobs tell how far they are",
        arguments: [
            (UInt64(62), UInt64(100), "rows", "62 %"), (0, 0, "", "–"), (1500, 0, "bytes", "1.5 kB"),
            (1500, 0, "rows", "1,500"),
        ])
    func jobs(done: UInt64, total: UInt64, unit: String, expected: String) {
        var progress = Hidra_V1_Progress()
        (progress.done, progress.total, progress.unit) = (done, total, unit)
        #expect(StatusReport.done(progress) == expected)
    }

    @Test("Words wrap between, never inside")
    func wrap() {
        #expect(ItemDescription.wrap(["alpha", "beta", "gamma"], width: 15) == "  alpha, beta,\n  gamma\n")
        #expect(ItemDescription.wrap(["alphabetagamma"], width: 5) == "  alphabetagamma\n")
    }

    @Test("An event is one line, however its values look")
    func event() {
        var event = Hidra_V1_Event()
        (event.time, event.name, event.subject) = (1_763_000_000, "run.failed", "bank")
        event.values = ["reason": "disk full", "code": "disk_full"]
        #expect(
            EventLine.text(event, style: .plain)
                == "02:13:20  run.failed            bank  code=disk_full reason=\"disk full\"")
    }
}
