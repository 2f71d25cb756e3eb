import ArgumentParser
import HidraClient
import HidraProtocol

/// Time of one prediction and of one status request on the running daemon, as its clients see them.
struct DaemonLatency: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "Latency of predictions and of status on the running daemon.",
        discussion: "Run it while a training is in flight. Example: hidra-bench daemon --head intent --seconds 20")

    @Option(help: "Head to ask.") var head: String
    @Option(help: "How long.") var seconds = 10.0
    @Option(help: "Pause between two rounds, in milliseconds.") var pause = 5

    func run() async throws {
        let client = try await HidraClient.connect(client: "hidra-bench")
        _ = try await client.predict(heads: [head], .texts(["What can I do if my card still hasn't arrived?"]))
        var predictions: [Double] = [], statuses: [Double] = []
        var busy = 0
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            // A text that no cache knows: a real question each time.
            let text = "What can I do if my card number \(predictions.count) still hasn't arrived after two weeks?"
            var start = ContinuousClock.now
            _ = try await client.predict(heads: [head], .texts([text]))
            predictions.append((ContinuousClock.now - start) / .milliseconds(1))
            start = .now
            let status = try await client.status()
            statuses.append((ContinuousClock.now - start) / .milliseconds(1))
            if !status.jobs.isEmpty { busy += 1 }
            try await Task.sleep(for: .milliseconds(pause))
        }
        for (name, times) in [("predict one sentence", predictions), ("status", statuses)] {
            let sorted = Percentiles(times)
            say([
                ("bench", name), ("requests", times.count), ("with_jobs_running", Double(busy) / Double(max(statuses.count, 1))),
                ("p50_ms", sorted[0.5]), ("p99_ms", sorted[0.99]), ("max_ms", sorted[1]),
            ])
        }
        await client.close()
    }
}
