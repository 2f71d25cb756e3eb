@testable import HidraClient
import HidraProtocol
import Synchronization
import Testing

@testable import Daemon

@Suite("Predictions that are streamed, over the daemon's sockets", .serialized)
struct StreamEndToEndTests {
    private func letters(_ count: Int) -> [String] {
        (0..<count).map { ["aa", "bb", "cc", "dd"][$0 % 4] + " " + ["a", "b"][$0 / 4 % 2] + " \($0)" }
    }

    /// A daemon with a head "letters", its client and the data set it was trained on.
    private func trained(_ limits: Limits = Limits()) async throws -> (RunningDaemon, HidraClient, data: String) {
        let daemon = try RunningDaemon(limits: limits)
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(64))
        _ = try await client.train(trainRequest("letters", data, epochs: 3))
        return (daemon, client, data)
    }

    @Test("come in order, some at a time, say what one reply would say, and end with the totals", arguments: [0, 1, 64, 65, 300])
    func parts(_ count: Int) async throws {
        let (daemon, client, _) = try await trained(), texts = letters(count)
        let whole = try await client.predict(heads: ["letters", "letters"], .texts(texts), top: 4)
        var parts: [Hidra_V1_PredictReply] = []
        for try await part in try client.predictions(heads: ["letters", "letters"], .texts(texts), top: 4) { parts.append(part) }
        let last = parts.popLast(), totals = try #require(last)
        #expect(parts.allSatisfy { (1...64).contains($0.inputs.count) } && parts.count == (count + 63) / 64)
        let firsts = (0..<parts.count).map { UInt64($0 * 64) }
        #expect(parts.map { $0.first } == firsts)
        #expect(parts.flatMap(\.inputs) == whole.inputs)
        #expect(totals.inputs.isEmpty && totals.encoded + totals.cached == parts.reduce(0) { $0 + $1.encoded + $1.cached })
        await client.close()
        try await daemon.stop()
    }

    @Test("answers that are known already come from the cache")
    func cached() async throws {
        let (daemon, client, _) = try await trained()
        // Those that the head was trained on.
        guard case .texts(let texts) = letterRows(64)[0].values else { return }
        var last = Hidra_V1_PredictReply()
        for try await part in try client.predictions(heads: ["letters"], .texts(texts + letters(80))) { last = part }
        #expect(last.cached >= 64 && last.encoded == 80, "\(last)")
        await client.close()
        try await daemon.stop()
    }

    @Test("others are answered in between, a cancelled one ends, and a head that is replaced does not change in the middle")
    func between() async throws {
        let (daemon, client, data) = try await trained(), eight = letters(8)
        let texts = (0..<60_000).map { eight[$0 % 8] }
        let other = try await daemon.connect("other")
        var answered = 0
        do {
            var parts = try client.predictions(heads: ["letters"], .texts(texts)).makeAsyncIterator()
            let next = try await parts.next(), first = try #require(next)
            // The whole takes seconds; this is answered meanwhile.
            #expect(try await other.predict(heads: ["letters"], .texts(["aa b"])).inputs.count == 1)
            #expect(try await other.status().jobs.contains { $0.kind == "predict" && $0.subject == "letters" && $0.progress.total == 60_000 })
            var again = trainRequest("letters", data, epochs: 1)
            again.replace = true
            again.hyperparameters.seed = 9
            _ = try await client.train(again)
            answered = first.inputs.count
            while answered < 6_400, let part = try await parts.next() {
                // Texts repeat: so must the answers.
                #expect(part.inputs.enumerated().allSatisfy { $1.heads == first.inputs[(answered + $0) % 8].heads })
                answered += part.inputs.count
            }
        }
        // The loop was left: the daemon is told.
        let deadline = ContinuousClock.now + .seconds(5)
        while try await other.status().jobs.contains(where: { $0.kind == "predict" }), .now < deadline {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(answered < texts.count && .now < deadline)
        await client.close()
        await other.close()
        try await daemon.stop()
    }

    @Test("more inputs are taken than at once, up to a limit of its own")
    func limits() async throws {
        let (daemon, client, _) = try await trained(Limits(textsPerRequest: 100, textsPerStream: 200))
        #expect(client.limits.textsPerStream == 200)
        var count = 0
        for try await part in try client.predictions(heads: ["letters"], .texts(letters(200))) { count += part.inputs.count }
        #expect(count == 200)
        #expect(throws: HidraError.self) { try client.predictions(heads: ["letters"], .texts(letters(201))) }
        var request = Hidra_V1_PredictRequest()
        (request.heads, request.texts, request.stream) = (["letters"], letters(201), true)
        let error = await #expect(throws: HidraError.self) {
            try await client.ask(.predict(request), on: .work) { _ in true }
        }
        #expect(error?.code == .limitExceeded && error?.details["limit"] == "200")
        let missing = await #expect(throws: HidraError.self) {
            for try await _ in try client.predictions(heads: ["leters"], .texts([])) {}
        }
        #expect(missing?.code == .notFound && missing?.details["suggestion"] == "letters")
        await client.close()
        try await daemon.stop()
    }

    @Test("heads that a client serves are streamed too, and what it says is wrong ends the stream after what came before")
    func served() async throws {
        let (daemon, client, data) = try await trained()
        var calls = CallHandlers()
        calls.preprocess = { columns in
            guard !columns[0].contains(where: { $0.hasSuffix(" 130") }) else { throw HidraError(.invalidData, "no 130, please") }
            return columns.map { $0.map { $0.replacing("aa", with: "bb") } }
        }
        _ = try await client.train(trainRequest("own", data, epochs: 2), calls: calls)
        let handlers = calls
        let serving = Task { try await client.serve(["own"], calls: handlers) }
        let other = try await daemon.connect("other")
        let deadline = ContinuousClock.now + .seconds(5)
        while .now < deadline {
            do {
                _ = try await other.predict(heads: ["own"], .texts(["aa"]))
                break
            } catch let error as HidraError where error.code == .unavailable { try await Task.sleep(for: .milliseconds(10)) }
        }
        var count = 0
        for try await part in try other.predictions(heads: ["own", "letters"], .texts(letters(128))) { count += part.inputs.count }
        #expect(count == 128)
        count = 0
        let error = await #expect(throws: HidraError.self) {
            for try await part in try other.predictions(heads: ["own"], .texts(letters(192))) { count += part.inputs.count }
        }
        #expect(count == 128 && error?.message.contains("no 130, please") == true, "\(String(describing: error))")
        serving.cancel()
        await client.close()
        await other.close()
        try await daemon.stop()
    }
}
