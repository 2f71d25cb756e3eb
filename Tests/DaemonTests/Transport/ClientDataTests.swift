import Daemon
import HidraClient
import HidraProtocol
import Testing

@Suite("Uploads and tensors")
struct ClientDataTests {
    /// Acknowledges rows as a daemon does.
    private static let acknowledge: EchoDaemon.Answer = { message, loop in
        guard case .appendRows(let append) = message.envelope.kind else { return }
        var reply = Hidra_V1_AppendRowsReply()
        reply.rows = append.firstRow + UInt64(append.columns.first?.values.count ?? 0)
        loop.reply(.appendRowsReply(reply), to: message)
    }

    @Test("A table arrives whole and in order, in messages below the limit")
    func chunks() async throws {
        let daemon = try EchoDaemon(answer: Self.acknowledge)
        let client = try await ClientTests.connect(daemon)
        let texts = (0..<3000).map { "row \($0) " + String(repeating: "ü", count: $0 % 900) }
        let labels = (0..<3000).map { "label \($0 % 7)" }
        let name = try await client.upload(columns: [UploadColumn("text", texts), UploadColumn("label", labels)], named: "tickets")
        #expect(name == "tickets")
        let appends = daemon.received.values.compactMap { message -> Hidra_V1_AppendRowsRequest? in
            if case .appendRows(let append) = message.envelope.kind { append } else { nil }
        }
        #expect(appends.count > 2)
        #expect(appends.allSatisfy { $0.data == "tickets" && $0.columns.map(\.name) == ["text", "label"] })
        let received = appends.flatMap { $0.columns[0].values } == texts
        #expect(received)
        #expect(appends.flatMap { $0.columns[1].values } == labels)
        #expect(appends[1].firstRow == UInt64(appends[0].columns[0].values.count))
        await client.close()
        await daemon.stop()
    }

    @Test("Two uploads without a name get two names")
    func names() async throws {
        let daemon = try EchoDaemon(answer: Self.acknowledge)
        let client = try await ClientTests.connect(daemon)
        let first = try await client.upload(columns: [UploadColumn("a", ["1"])])
        let second = try await client.upload(columns: [UploadColumn("a", ["1"])])
        #expect(first != second && !first.isEmpty)
        await client.close()
        await daemon.stop()
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var columns: [String: [String]]
        var code: ErrorCode
        var hint: String
    }

    static let refused = [
        Refused(testDescription: "no columns", columns: [:], code: .invalidArgument, hint: "columns"),
        Refused(testDescription: "no rows", columns: ["a": []], code: .invalidData, hint: "no rows"),
        Refused(
            testDescription: "columns of different lengths", columns: ["a": ["1"], "b": ["1", "2"]],
            code: .invalidArgument, hint: "one length"),
        Refused(
            testDescription: "too many rows", columns: ["a": Array(repeating: "x", count: 1001)],
            code: .limitExceeded, hint: "1000"),
        Refused(
            testDescription: "a row above the message limit",
            columns: ["a": ["short", String(repeating: "x", count: 2 << 20)]], code: .limitExceeded, hint: "Row 2"),
    ]

    @Test("A table that cannot be taken is refused before it is sent", arguments: refused)
    func refusals(_ table: Refused) async throws {
        let daemon = try EchoDaemon(configuration: EchoDaemon.smallMessages, answer: Self.acknowledge)
        let client = try await ClientTests.connect(daemon)
        let error = await #expect(throws: HidraError.self) {
            try await client.upload(columns: table.columns.sorted { $0.key < $1.key }.map { UploadColumn($0.key, $0.value) })
        }
        #expect(error?.code == table.code)
        #expect(error?.message.contains(table.hint) == true, "\(error?.message ?? "")")
        await client.close()
        await daemon.stop()
    }

    @Test("More texts than a request takes are refused with the number it takes")
    func textLimit() async throws {
        let daemon = try EchoDaemon(configuration: EchoDaemon.smallMessages)
        let client = try await ClientTests.connect(daemon)
        let texts = Array(repeating: "text", count: 11)
        let predict = await #expect(throws: HidraError.self) { try await client.predict(heads: ["a"], .texts(texts)) }
        let embed = await #expect(throws: HidraError.self) { try await client.embed(encoder: "a", .texts(texts)) }
        for error in [predict, embed] {
            #expect(error?.code == .limitExceeded)
            #expect(error?.message.contains("10") == true)
        }
        await client.close()
        await daemon.stop()
    }

    @Test("Embeddings arrive bit for bit")
    func embeddings() async throws {
        let values: [Float] = [0, -0.0, 1.5, -.pi, .infinity, .leastNonzeroMagnitude]
        let daemon = try EchoDaemon(answer: { message, loop in
            var envelope = Hidra_V1_Envelope.reply(to: message.envelope.requestID, .embedReply(.init()))
            var tensor = Hidra_V1_TensorFrame()
            tensor.name = "embeddings"
            tensor.type = .float32
            tensor.shape = [2, 3]
            envelope.tensors = [tensor]
            let bytes = values.flatMap { value in
                (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
            }
            loop.send(envelope, tensors: [bytes], to: message.client, on: .work)
        })
        let client = try await ClientTests.connect(daemon)
        let reply = try await client.embed(encoder: "minilm", .texts(["a", "b"]))
        #expect(reply.values.map(\.bitPattern) == values.map(\.bitPattern))
        #expect(reply.rows == 2 && reply.width == 3)
        // A reply for another number of texts is not accepted.
        await #expect(throws: HidraError.self) { try await client.embed(encoder: "minilm", .texts(["a"])) }
        await client.close()
        await daemon.stop()
    }
}
