import ArgumentParser
import HidraClient
import HidraProtocol
import Tables

/// Time of one prediction on the running daemon: idle, then while two sessions train adapters.
struct SessionLatency: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session-latency", abstract: "Latency of predictions, idle and while two sessions train.",
        discussion: """
            The sessions are cancelled at the end. Example: hidra-bench session-latency --head intent \
            --csv Plugins/ticket-triage/data/tickets.csv --text message --label intent
            """)

    @Option(help: "Head to ask.") var head: String
    @Option(help: "Table the sessions train on.") var csv: String
    @Option(help: "Column with the texts.") var text = "text"
    @Option(help: "Column with the labels.") var label = "category"
    @Option(help: "Encoder of the sessions.") var encoder = "minilm"
    @Option(help: "How long, each time.") var seconds = 20.0
    @Option(help: "Rows of a batch.") var batch = 32

    func run() async throws {
        let client = try await HidraClient.connect(client: "hidra-bench"), table = try Table.read(path: csv)
        _ = try await client.predict(heads: [head], .texts(["What can I do if my card still hasn't arrived?"]))
        let idle = try await measure(client, 0)
        let names = ["latency-one", "latency-two"]
        for name in names {
            var request = Hidra_V1_StartSessionRequest(), file = Hidra_V1_SessionFile()
            request.document = """
                hidra: 1
                name: \(name)
                encoder: \(encoder)
                heads:
                  \(name)-head: {data: rows.csv, text: \(text), label: \(label)}
                train: {what: lora, epochs: 1000, patience: 1000, batch: \(batch)}
                """
            file.path = "rows.csv"
            file.data = try await client.upload(
                columns: [UploadColumn(text, try table.column(text)), UploadColumn(label, try table.column(label))])
            request.files = [file]
            _ = try await client.startSession(request)
        }
        for name in names {
            while try await client.session(name).phase != "training" { try await Task.sleep(for: .milliseconds(100)) }
        }
        let before = try await steps(client, names)
        let busy = try await measure(client, 1_000_000)
        let after = try await steps(client, names)
        for name in names {
            _ = try await client.controlSession(name, .cancel)
            _ = try await client.controlSession(name, .remove)
        }
        for (name, times) in [("predict, idle", idle), ("predict, two sessions train", busy)] {
            let sorted = Percentiles(times)
            say([("bench", name), ("requests", times.count), ("p50_ms", sorted[0.5]), ("p99_ms", sorted[0.99]), ("max_ms", sorted[1])])
        }
        say([
            ("bench", "two sessions to idle"), ("p99_ratio", Percentiles(busy)[0.99] / Percentiles(idle)[0.99]),
            ("session_steps_per_second", Double(after - before) / seconds),
        ])
        await client.close()
    }

    private func steps(_ client: HidraClient, _ names: [String]) async throws -> UInt64 {
        var total: UInt64 = 0
        for name in names { total += try await client.session(name).step }
        return total
    }

    private func measure(_ client: HidraClient, _ first: Int) async throws -> [Double] {
        var times: [Double] = []
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            // A text that no cache knows: a real question each time.
            let text = "What can I do if my card number \(first + times.count) still hasn't arrived after two weeks?"
            let start = ContinuousClock.now
            _ = try await client.predict(heads: [head], .texts([text]))
            times.append((ContinuousClock.now - start) / .milliseconds(1))
            try await Task.sleep(for: .milliseconds(5))
        }
        return times
    }
}
