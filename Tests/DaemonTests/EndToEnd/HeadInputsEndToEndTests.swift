import Foundation
import HidraClient
import HidraProtocol
import TensorCore
import TestSupport
import Testing

@testable import Daemon

/// Graphs: PyTorch's, by `Fixtures/export_heads.py`.
@Suite("Heads of token states and of several inputs, over the daemon's sockets")
struct HeadInputsEndToEndTests {
    private static func graph(_ name: String) throws -> Data {
        try Data(contentsOf: Golden.packageRoot.appending(path: "Tests/DaemonTests/Fixtures/\(name).onnx"))
    }

    private func request(_ head: String, _ data: String, graph: String) throws -> Hidra_V1_TrainRequest {
        var request = trainRequest(head, data)
        request.kind.name = "graph"
        request.kind.graph = try Self.graph(graph)
        request.hyperparameters.epochs = 40
        request.hyperparameters.learningRate = 0.02
        return request
    }

    private func input(
        _ name: String, _ column: String, encoder: String = "", tap: String = ""
    ) -> Hidra_V1_HeadInput {
        var input = Hidra_V1_HeadInput()
        input.name = name
        input.column = column
        input.encoder = encoder
        input.tap = tap
        return input
    }

    /// Texts of two to eleven words whose first letter decides.
    private func ragged(_ count: Int) -> [UploadColumn] {
        let letters = ["a", "b", "c", "d"]
        let texts = (0..<count).map { row -> String in
            let first = letters[row % 4], others = (0...row * 7 % 10).map { letters[(row / 4 + $0) % 4] }
            return "\(first)\(first) \(others.joined(separator: " "))"
        }
        return [UploadColumn("text", texts), UploadColumn("label", (0..<count).map { letters[$0 % 4] })]
    }

    /// Pairs of words; the label says whether the left, the right, both or none is one of "a" and "b".
    private func pairs(_ count: Int) -> [UploadColumn] {
        let words = ["aa", "cc", "bb", "dd"]
        let left = (0..<count).map { "\(words[$0 % 4]) \(words[$0 / 16 % 4])" }
        let right = (0..<count).map { "\(words[$0 / 4 % 4]) \(words[$0 / 32 % 4])" }
        func isOne(_ text: String) -> Bool { text.hasPrefix("a") || text.hasPrefix("b") }
        return [
            UploadColumn("question", left), UploadColumn("answer", right),
            UploadColumn("label", zip(left, right).map { "\(isOne($0) ? "l" : "-")\(isOne($1) ? "r" : "-")" }),
        ]
    }

    private func evaluate(_ head: String, _ data: String, _ columns: [String]) -> Hidra_V1_EvaluateRequest {
        var request = Hidra_V1_EvaluateRequest()
        request.head = head
        request.data = data
        request.inputColumns = columns
        request.labelColumn = "label"
        return request
    }

    @Test(
        "a graph over token states is trained, answers each row as if it were alone, and after a restart as before",
        arguments: [("attention", false), ("last_state", true), ("mean_over_mask", true)])
    func tokenStates(_ graph: String, showsPadding: Bool) async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let rows = ragged(240), data = try await client.upload(columns: rows)
        let trained = try await client.train(request("states", data, graph: graph)) { _ in }
        #expect(trained.summary.notes.contains { $0.contains("Padding of \"tokens\" would be visible") } == showsPadding)
        #expect(trained.head.inputs.count == 1 && trained.head.inputs[0].name == "tokens")
        #expect(trained.head.inputs[0].form == .states && trained.head.inputs[0].tap == "2")
        #expect(trained.summary.validationScore > 0.8, "\(trained.summary.validationScore)")

        var again = try request("again", data, graph: graph)
        again.head = "again"
        let second = try await client.train(again) { _ in }
        #expect(second.summary.cacheMisses == 0, "states come from the cache")
        #expect(second.head.digest == trained.head.digest, "the same seed gives the same bytes")

        guard case .texts(let texts) = rows[0].values else { return #expect(Bool(false)) }
        let together = try await client.predict(heads: ["states"], .texts(Array(texts.prefix(90))), top: 4)
        for row in 0..<12 {
            let alone = try await client.predict(heads: ["states"], .texts([texts[row]]), top: 4)
            #expect(alone.inputs[0] == together.inputs[row], "row \(row) depends on its batch")
        }
        let report = try await client.evaluate(evaluate("states", data, ["text"])) { _ in }
        #expect(report.metrics["accuracy"] ?? 0 > 0.9)
        await client.close()
        try await daemon.stop()

        let next = try RunningDaemon(folder: daemon.folder)
        let later = try await next.connect()
        #expect(try await later.predict(heads: ["states"], .texts(Array(texts.prefix(90))), top: 4).inputs == together.inputs)
        let exported = try await later.checkGraph(try await later.export(head: "states"))
        #expect(exported.problems.isEmpty && exported.roles.first?.role == "states")
        await later.close()
        try await next.stop()
    }

    @Test("a graph of two inputs reads two columns, in the graph's order or by name, and predicts pairs")
    func pairs() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let rows = pairs(256), data = try await client.upload(columns: rows)
        var ordered = try request("ordered", data, graph: "gated")
        ordered.inputs = [input("", "question"), input("", "answer")]
        let trained = try await client.train(ordered) { _ in }
        #expect(trained.head.inputs.map(\.name) == ["left", "right"])
        #expect(trained.head.inputs.map(\.column) == ["question", "answer"])
        #expect(trained.summary.validationScore > 0.9, "\(trained.summary.validationScore)")
        let answers = try await client.predict(
            heads: ["ordered"], columns: [["aa cc", "cc aa", "bb bb"], ["dd dd", "aa bb", "bb cc"]])
        #expect(answers.inputs.map { $0.heads[0].labels[0].label } == ["l-", "-r", "lr"])

        var named = try request("named", data, graph: "gated")
        named.inputs = [input("right", "answer"), input("left", "question")]
        let byName = try await client.train(named) { _ in }
        #expect(byName.head.inputs.map(\.column) == ["answer", "question"])
        let swapped = try await client.predict(heads: ["named"], columns: [["dd dd"], ["aa cc"]])
        #expect(swapped.inputs[0].heads[0].labels[0].label == "l-", "columns are in the order in which the inputs name them")
        let report = try await client.evaluate(evaluate("ordered", data, ["question", "answer"])) { _ in }
        #expect(report.metrics["accuracy"] ?? 0 > 0.9)

        let one = await #expect(throws: HidraError.self) { try await client.predict(heads: ["ordered"], .texts(["aa"])) }
        #expect(one?.code == .invalidArgument && one?.message.contains("'question', 'answer'") == true, "\(one?.message ?? "")")
        let uneven = await #expect(throws: HidraError.self) {
            try await client.predict(heads: ["ordered"], columns: [["aa", "bb"], ["cc"]])
        }
        #expect(uneven?.code == .invalidArgument)
        await client.close()
        try await daemon.stop()

        let next = try RunningDaemon(folder: daemon.folder)
        let later = try await next.connect()
        let after = try await later.predict(
            heads: ["ordered"], columns: [["aa cc", "cc aa", "bb bb"], ["dd dd", "aa bb", "bb cc"]])
        #expect(after.inputs == answers.inputs)
        await later.close()
        try await next.stop()
    }

    @Test("a graph reads one column through two encoders; neither is removed from under it")
    func twoEncoders() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let source = daemon.folder.url.appending(path: "other")
        try TinyEncoder.write(to: source, seed: 2)
        var pull = Hidra_V1_PullRequest()
        pull.source = source.path
        pull.name = "other"
        _ = try await client.pull(pull) { _ in }
        let data = try await client.upload(columns: letterRows(200))
        var request = try request("both", data, graph: "gated")
        request.encoder = ""
        request.inputs = [input("left", "text", encoder: "tiny"), input("right", "text", encoder: "other", tap: "1")]
        let trained = try await client.train(request) { _ in }
        #expect(trained.head.inputs.map(\.encoder) == ["tiny", "other"] && trained.head.inputs.map(\.tap) == ["2", "1"])
        #expect(try await client.predict(heads: ["both"], .texts(["cc a b"])).inputs[0].heads[0].labels[0].label == "c")
        // Beside a head of one vector, which shares the first encoder's pass.
        _ = try await client.train(trainRequest("plain", data)) { _ in }
        let mixed = try await client.predict(heads: ["plain", "both"], .texts(["dd a b", "aa c"]))
        #expect(mixed.inputs.map { $0.heads.map { $0.labels[0].label } } == [["d", "d"], ["a", "a"]])
        #expect(mixed.encoded + mixed.cached == 4, "two texts, through two encoders")

        let kept = await #expect(throws: HidraError.self) { try await client.remove("other", withHeads: false) }
        #expect(kept?.code == .conflict && kept?.details["heads"] == "both")
        #expect(try await client.remove("other", withHeads: true).removed == ["both", "other"])
        await client.close()
        try await daemon.stop()
    }

    /// What is wrong, the error's code, and a part of its message.
    static let mistakes: [(String, ErrorCode, String)] = [
        ("one column for two inputs", .invalidArgument, "\"left\" float32"),
        ("name", .invalidArgument, "no input \"middle\""),
        ("column", .notFound, "no column 'lefft'"),
        ("encoder", .notFound, "tiny"),
        ("tap", .invalidArgument, "no tap \"9\""),
        ("built-in kind", .invalidArgument, "--head FILE.onnx"),
        ("form", .invalidArgument, "vectors, not token states"),
        ("some named", .invalidArgument, "Name each input"),
    ]

    @Test("what cannot be bound is refused before anything is encoded, with what is possible", arguments: mistakes)
    func refusals(_ mistake: String, _ code: ErrorCode, _ part: String) async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: pairs(40))
        var request = try request("net", data, graph: "gated")
        request.inputs = [input("left", "question"), input("right", "answer")]
        switch mistake {
        case "one column for two inputs": (request.inputs, request.inputColumn) = ([], "question")
        case "name": request.inputs[1].name = "middle"
        case "column": request.inputs[0].column = "lefft"
        case "encoder": request.inputs[1].encoder = "tinny"
        case "tap": request.inputs[1].tap = "9"
        case "built-in kind": request.kind = Hidra_V1_HeadKind()
        case "form": request.inputs[0].form = .states
        default: request.inputs[1].name = ""
        }
        let refused = request
        let error = await #expect(throws: HidraError.self) { try await client.train(refused) { _ in } }
        #expect(error?.code == code, "\(String(describing: error))")
        let whole = "\(error?.message ?? "") \(error?.details ?? [:])"
        #expect(whole.contains(part), "\(whole)")
        #expect(try await client.list().runs.isEmpty)
        await client.close()
        try await daemon.stop()
    }

    @Test("a check says what each input of a graph would read")
    func check() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connect()
        let attention = try await client.checkGraph(try Self.graph("attention"))
        #expect(attention.roles.map(\.role) == ["states", "mask"] && attention.roles[1].of == "tokens")
        let gated = try await client.checkGraph(try Self.graph("gated"))
        #expect(gated.roles.map(\.role) == ["vectors", "vectors"] && gated.roles.map(\.input) == ["left", "right"])
        await client.close()
        try await daemon.stop()
    }
}
