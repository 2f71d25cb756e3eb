import Foundation
import Sessions
import TestSupport
import Testing

/// A document that is right, to be made wrong in one place.
private let good = """
    hidra: 1
    name: triage
    encoder: minilm
    heads:
      intent:
        data: tickets.csv
        text: message
        label: intent
      tone: {data: tickets.csv, text: message, label: tone, kind: mlp, hidden: 64, loss: plugin focal-loss}
    train:
      what: lora
      lora: {rank: 4, targets: [query, key]}
    sampler: {temperature: 2}
    balance: pcgrad
    budget: {minutes: 30, memory_mb: 2000}
    """

@Suite("A session document")
struct SessionPlanTests {
    @Test("says what it says, and the rest has its defaults")
    func reads() throws {
        let plan = try SessionPlan(document: good)
        #expect(plan.name == "triage" && plan.seed == 0)
        #expect(plan.heads.map(\.name) == ["intent", "tone"])
        #expect(plan.heads[0].kind == .linear && plan.heads[0].loss == nil && plan.heads[0].encoders == ["minilm"])
        #expect(plan.heads[1].kind == .mlp(hidden: 64, dropout: 0.3) && plan.heads[1].loss == "focal-loss")
        var lowRank = SessionPlan.LowRank()
        (lowRank.rank, lowRank.alpha, lowRank.targets) = (4, 8, ["query", "key"])
        #expect(plan.train.what == .lora(lowRank))
        #expect(plan.train.epochs == 5 && plan.train.batch == 32)
        #expect(plan.sampler == .temperature(2) && plan.balance == .pcgrad)
        #expect(plan.budget.minutes == 30 && plan.budget.memoryMegabytes == 2000 && plan.budget.coreSeconds == nil)
        #expect(plan.files == ["tickets.csv"] && plan.plugins == ["focal-loss"])
    }

    @Test("of the plugin ticket-triage is one")
    func example() throws {
        let file = Golden.packageRoot.appending(path: "Plugins/ticket-triage/session.yaml")
        let plan = try SessionPlan(document: String(contentsOf: file, encoding: .utf8))
        #expect(plan.heads.map(\.name) == ["intent", "urgency", "tone"] && plan.heads[2].loss == "focal-loss")
    }

    @Test("can be JSON")
    func json() throws {
        let text = #"{"hidra": 1, "name": "a", "heads": {"b": {"data": "b.csv", "text": ["x", "y"], "label": "z", "encoders": ["m", "n"]}}}"#
        let plan = try SessionPlan(document: text)
        #expect(plan.heads[0].texts == ["x", "y"] && plan.heads[0].fusion == .concat && plan.encoders == ["m", "n"])
    }

    @Test(
        "that is wrong is refused with the line and what to do",
        arguments: [
            ("name: triage", "nmae: triage", 2, "`name`"),
            ("train:", "trian:", 10, "`train`"),
            ("rank: 4", "rnak: 4", 12, "`rank`"),
            ("hidden: 64", "hiden: 64", 9, "`hidden`"),
            ("key]", "kex]", 12, "`key`"),
            ("what: lora", "what: lorra", 11, "`lora`"),
            ("balance: pcgrad", "balance: pcgrd", 14, "`pcgrad`"),
            ("sampler: {temperature: 2}", "sampler: {temperature: 0.5}", 13, "1 to 1000"),
            ("sampler: {temperature: 2}", "sampler: temperature", 13, "takes a number"),
            ("minutes: 30", "minutes: -1", 15, "above 0"),
            ("minutes: 30", "minutes: soon", 15, "\"soon\""),
            ("rank: 4", "rank: 0", 12, "1 to 1024"),
            ("loss: plugin focal-loss", "loss: focal-loss", 9, "plugin NAME"),
            ("kind: mlp, hidden: 64", "kind: linear, hidden: 64", 9, "mlp and tagger"),
            ("kind: mlp", "kind: net.pt", 9, "NAME.onnx"),
            ("label: intent", "lable: intent", 8, "`label`"),
            ("      tone:", "      intent:", 5, "'intent' stands twice"),
            ("      tone:", "      Intent:", 9, "two heads"),
            ("what: lora", "what: heads", 12, "what: lora"),
            ("name: triage", "name: tone", 2, "rename one"),
            ("name: triage", "name: ../x", 2, "cannot be the name"),
            ("encoder: minilm", "seed: -3", 3, "`seed`"),
            ("hidra: 1", "hidra: 2", 1, "Update Hidra"),
            ("hidra: 1", "hidra: one", 1, "version"),
        ])
    func refused(_ right: String, _ wrong: String, _ line: Int, _ says: String) throws {
        let indented = right.trimmingCharacters(in: .whitespaces), text = good.replacing(indented, with: wrong.trimmingCharacters(in: .whitespaces), maxReplacements: 1)
        #expect(text != good)
        let error = try #require(throws: SessionError.self) { try SessionPlan(document: text) }
        #expect(error.message.contains(says), "\(error)")
        if wrong != "seed: -3" { #expect(error.line == line, "\(error)") }
    }

    @Test("of a newer version is refused as that, whatever else it says")
    func newer() {
        let error = #expect(throws: SessionError.self) { try SessionPlan(document: "hidra: 7\nplanets: [earth]") }
        #expect(error?.code == .newerVersion)
    }

    @Test(
        "that is none is refused",
        arguments: ["", "hello", "[1, 2]", "hidra: 1", "hidra: 1\nname: a", "hidra: 1\nname: a\nheads: {}", "a: [b", String(repeating: "[", count: 20000),
                    "hidra: 1\nname: a\nheads: {b: {data: b.csv, label: x, text: y}}"])
    func none(_ text: String) {
        #expect(throws: SessionError.self) { try SessionPlan(document: text) }
    }

    @Test("survives being stored")
    func codable() throws {
        let plan = try SessionPlan(document: good)
        #expect(try JSONDecoder().decode(SessionPlan.self, from: JSONEncoder().encode(plan)) == plan)
    }

    @Test("gives what only heads on a frozen encoder have to nobody else")
    func frozen() throws {
        let text = good.replacing("balance: pcgrad\n", with: "").replacing("what: lora\n  lora: {rank: 4, targets: [query, key]}", with: "layer_decay: 0.9")
        let error = try #require(throws: SessionError.self) { try SessionPlan(document: text) }
        #expect(error.message.contains("layer_decay"), "\(error)")
    }
}
