import ArgumentParser
import HidraProtocol
import Testing

@testable import hidra

@Suite("What training from scratch takes")
struct CostTests {
    private func near(_ value: Double, _ expected: Double, within share: Double) -> Bool { abs(value - expected) <= share * expected }

    @Test("Stable Diffusion, as its makers told: 150,000 GPU-hours on 256 GPUs are 24.4 days, 600,000 dollars at 4 dollars an hour")
    func stableDiffusion() {
        let cost = TrainingCost(gpuHours: 150_000, Accelerators(count: 256, hourPrice: 4))
        #expect(near(cost.days, 24.4, within: 0.002) && cost.money == 600_000)
    }

    /// Brown et al. 2020, "Language Models are Few-Shot Learners", table D.1: 174,600 million parameters, 300 billion tokens, 3.14 · 10²³
    /// operations, 3,640 petaflop/s-days.
    @Test("GPT-3: 3.14 · 10²³ operations, 3,640 petaflop/s-days")
    func gpt3() {
        let petaflop = Accelerators(peak: 1e15, utilisation: 1, count: 1)
        let cost = TrainingCost(parameters: 174.6e9, tokens: 300e9, petaflop)
        #expect(near(cost.operations, 3.14e23, within: 0.002) && near(cost.days, 3_640, within: 0.002))
    }

    /// Hoffmann et al. 2022, table A3: Chinchilla's 70 billion parameters and 1.4 trillion tokens are 5.76 · 10²³ operations, Gopher's budget;
    /// 6 N D gives 5.88 · 10²³.
    @Test("Chinchilla: within three percent of the operations stated")
    func chinchilla() {
        let cost = TrainingCost(parameters: 70e9, tokens: 1.4e12, Accelerators())
        #expect(near(cost.operations, 5.76e23, within: 0.03))
    }

    /// Touvron et al. 2023, "LLaMA", section 2.4 and table 15: 65.2 billion parameters, 1.4 trillion tokens, 1,022,362 hours of A100s,
    /// about 21 days on 2,048 of them.
    @Test("LLaMA-65B: 1,022,362 GPU-hours on 2,048 GPUs are 21 days, and mean a plausible share of an A100's peak")
    func llama() {
        let stated = TrainingCost(gpuHours: 1_022_362, Accelerators(count: 2_048))
        #expect(near(stated.days, 21, within: 0.02))
        let counted = TrainingCost(parameters: 65.2e9, tokens: 1.4e12, Accelerators(utilisation: 1, count: 2_048))
        let share = counted.gpuHours / 1_022_362
        #expect(share > 0.45 && share < 0.5, "utilisation \(share)")
    }

    @Test("a stated number of GPU-hours and the operations it makes come back as the same hours")
    func inverse() {
        let machine = Accelerators(peak: 1e14, utilisation: 0.3, count: 4, hourPrice: 2)
        let cost = TrainingCost(gpuHours: 1_000, machine)
        #expect(near(TrainingCost(parameters: 1e9, tokens: cost.operations / 6e9, machine).gpuHours, 1_000, within: 1e-12))
    }

    @Test("what encoders were trained on is known by their source, at whatever revision, and of others it is not")
    func known() {
        #expect(EncoderTraining.known("minilm")?.tokens == 26_214_400_000.0)
        #expect(EncoderTraining.known("hf:sentence-transformers/all-MiniLM-L6-v2@abc") != nil)
        #expect(EncoderTraining.known("hf:google-bert/bert-base-uncased")?.source.contains("Devlin") ?? false)
        #expect(EncoderTraining.known("hf:someone/else") == nil && EncoderTraining.known("/folder/minilm") == nil)
    }

    @Test("a run's energy and money follow from its core-seconds")
    func run() {
        let cost = RunCost(coreSeconds: 7_200, wattsPerCore: 10, coreHourPrice: 0.05)
        #expect(cost.energy == 20 && cost.money == 0.1)
    }

    @Test("the report shows both, and nothing that is not known")
    func report() throws {
        var report = CostReport(accelerators: Accelerators(count: 256), scratch: TrainingCost(gpuHours: 150_000, Accelerators(count: 256)))
        #expect(report.render(style: .plain).contains("24.4 days on 256 GPUs") && report.render(style: .plain).contains("$600,000"))
        report.run = ("bank (run-1)", RunCost(coreSeconds: 40, wattsPerCore: 10, coreHourPrice: 0.05))
        let text = report.render(style: .plain)
        #expect(text.contains("bank (run-1)") && text.contains("th of the money"))
        #expect(JSON.object(report.members).text.contains("\"gpu_hours\":150000"))
    }

    @Test(
        "numbers that contradict or do not suffice are usage errors",
        arguments: [
            ["cost"], ["cost", "--parameters", "1e9"], ["cost", "--gpu-hours", "5", "--tokens", "1"], ["cost", "x", "--utilisation", "1.5"],
            ["cost", "x", "--gpus", "0"], ["plot", "x", "-o", "x.gif"], ["plot", "x"], ["check", "t.csv", "--text", "a"],
            ["check", "t.csv", "--text", "a", "--label", "b", "--near", "0.1"], ["compare", "a"],
        ])
    func usage(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try Hidra.parseAsRoot(arguments) }
    }
}

@Suite("Reports of checks and comparisons")
struct RecordReportTests {
    @Test("a finding shows its rows, what they agree with, and how many more there are")
    func check() {
        var reply = Hidra_V1_CheckDataReply()
        (reply.rows, reply.labels) = (10_003, 77)
        var finding = Hidra_V1_Finding(), example = Hidra_V1_FindingExample()
        (finding.kind, finding.severity, finding.count, finding.text) = ("label_error", "warning", 3, "3 rows likely have a wrong label.")
        (example.row, example.text, example.label) = (12, "my card is gone", "card_arrival")
        (example.suggestion, example.value) = ("lost_card", 0.031)
        finding.examples = [example]
        reply.findings = [finding]
        let text = CheckReport(reply: reply).render(width: 120, style: .plain)
        #expect(text.contains("10,003 rows, 77 labels") && text.contains("row 12 [card_arrival] (0.03) → [lost_card] “my card is gone”"))
        #expect(text.contains("… and 2 more"))
        reply.findings = []
        #expect(CheckReport(reply: reply).render(width: 120, style: .plain).contains("No faults found"))
    }

    @Test("a comparison names what differs, the test and what follows", arguments: [(0.2, "chance"), (0.001, "more than chance")])
    func compare(_ p: Double, _ verdict: String) {
        var reply = Hidra_V1_CompareReply(), setting = Hidra_V1_Difference(), metric = Hidra_V1_MetricDifference()
        (reply.first.head, reply.first.id, reply.second.head, reply.second.id) = ("a", "run-1", "b", "run-2")
        (setting.name, setting.first, setting.second) = ("settings.seed", "0", "1")
        (metric.name, metric.first, metric.second) = ("accuracy", 0.93, 0.934)
        (reply.settings, reply.metrics) = ([setting], [metric])
        reply.test.method = "mcnemar_exact"
        (reply.test.rows, reply.test.pValue, reply.test.onlyFirst, reply.test.onlySecond) = (3_080, p, 40, 52)
        let text = CompareReport(reply: reply).render(width: 160, style: .plain)
        for part in ["settings.seed", "+0.0040", "3,080 shared test rows", "p = \(Format.fixed(p, 4))", verdict] { #expect(text.contains(part), "\(part)") }
    }
}
