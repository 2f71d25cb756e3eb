import CHidraPlugin
import Foundation
import HidraClient
import HidraProtocol
import TestSupport
import Testing

@Suite("From C", .serialized, .enabled(if: StartedDaemon.isBuilt, "hidrad is not built"))
struct SameBytesTests {
    @Test(
        "the same rows and seed give the same head as from Swift, bit for bit", arguments: ["linear", "mlp", "graph"])
    func sameDigest(_ kind: String) async throws {
        let daemon = try await StartedDaemon()
        let rows = letters(120)
        // A graph that fits: a linear head, written out. Its bytes serve both sides.
        let (graph, digest) = try await onThread { [client = daemon.client] in
            try client.append(rows, to: "rows")
            _ = try client.train("written", on: "rows") { training, _ in training.epochs = 1 }
            let graph = try client.export("written")
            let digest = try graph.withUnsafeBytes { bytes in
                try client.train("from-c", on: "rows") { training, strings in
                    training.kind = strings.one(kind)
                    training.holdout = 0.25
                    training.epochs = 4
                    training.seed = 11
                    training.learning_rate = 0.01
                    training.weight_decay = hidra_optional(set: true, value: 0)
                    if kind == "mlp" {
                        training.hidden = 24
                        training.dropout = hidra_optional(set: true, value: 0.2)
                    }
                    if kind == "graph" { training.graph = hidra_bytes(data: bytes.baseAddress, size: bytes.count) }
                }
            }
            return (graph, digest)
        }
        let client = try await daemon.swiftClient()
        var request = Hidra_V1_TrainRequest()
        request.head = "from-swift"
        request.encoder = "tiny"
        request.data = try await client.upload(columns: rows.map { UploadColumn($0.name, $0.texts) })
        request.inputColumn = "text"
        request.labelColumn = "label"
        request.holdout = 0.25
        request.kind.name = kind
        if kind == "mlp" {
            request.kind.hidden = 24
            request.kind.dropout = 0.2
        }
        if kind == "graph" { request.kind.graph = graph }
        request.hyperparameters.epochs = 4
        request.hyperparameters.seed = 11
        request.hyperparameters.learningRate = 0.01
        request.hyperparameters.weightDecay = 0
        let trained = try await client.train(request)
        #expect(digest == trained.head.digest && digest.count == 64)
        #expect(try await client.export(head: "from-c") == client.export(head: "from-swift"))
        await client.close()
        try await daemon.stop()
    }

    @Test("vectors are those of the Swift client, bit for bit")
    func sameVectors() async throws {
        let daemon = try await StartedDaemon()
        let texts = letters(70)[0].texts + ["", "zebra ünïcode 漢字", String(repeating: "long ", count: 100)]
        let client = try await daemon.swiftClient()
        let fromC = try await onThread { [client = daemon.client] in try client.embed(texts) }
        let fromSwift = try await client.embed(encoder: "tiny", .texts(texts)).values
        #expect(fromC.count == texts.count * 32)
        #expect(fromC.map(\.bitPattern) == fromSwift.map(\.bitPattern))
        await client.close()
        try await daemon.stop()
    }

    @Test("several heads answer together; list, status, evaluate and remove say what is there")
    func wholeStory() async throws {
        let daemon = try await StartedDaemon()
        try await onThread { [client = daemon.client] in
            #expect(client.greeting.protocol == 1 && client.greeting.texts_per_request == 4096)
            try client.append(letters(200), to: "rows")
            _ = try client.train("one", on: "rows")
            _ = try client.train("two", on: "rows") { training, strings in training.test_data = strings.one("rows") }
            #expect(try client.heads() == ["one", "two"])
            #expect(try client.predict(["one", "two"], ["cc a b", "aa d d"]) == [["c", "c"], ["a", "a"]])
            #expect(try client.predict(["one"], []) == [])
            let (accuracy, rows) = try client.evaluate("one", on: "rows")
            #expect(accuracy > 0.9 && rows == 200)
            let conflict = #expect(throws: CError.self) { try client.remove("tiny", withHeads: false) }
            #expect(conflict?.code == "conflict" && conflict?.details["heads"]?.contains("two") == true)
            #expect(try client.remove("tiny", withHeads: true) == ["one", "two", "tiny"])
        }
        try await daemon.stop()
    }

    @Test("tables of many megabytes go in pieces, and an append can be repeated")
    func manyPieces() async throws {
        let daemon = try await StartedDaemon()
        try await onThread { [client = daemon.client] in
            // Seven megabytes, of rows from nothing to two megabytes.
            let count = 50_000
            var texts = (0..<count).map { "a \($0) " + String(repeating: "b", count: $0 % 200) }
            texts[17] = String(repeating: "c", count: 2 << 20)
            let columns = [("text", texts), ("label", texts.indices.map { $0 % 2 == 0 ? "x" : "y" })]
            try client.append(columns, to: "many")
            try client.append(columns, to: "many")
            // A gap shows how many there are.
            try client.append([("text", ["z"]), ("label", ["x"])], to: "many", after: count)
            let gap = #expect(throws: CError.self) {
                try client.append([("text", ["z"]), ("label", ["x"])], to: "many", after: count + 2)
            }
            #expect(gap?.code == "invalid_argument")
        }
        try await daemon.stop()
    }
}
