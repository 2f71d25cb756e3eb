import ArgumentParser
import Encoders
import Foundation
import HidraClient
import HidraProtocol
import Tables

/// What the running daemon makes of the engine: latency through the socket, many heads in one request, many clients at a time.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Latency through the socket, many heads, many clients.",
        discussion: """
            Trains heads named bench-0 … bench-99 on first use, and removes nothing. Example:
            hidra-bench serve --encoder minilm --model $HIDRA_HOME/encoders/minilm --csv train.csv --text text --label category
            """)

    @Option(help: "Encoder to ask, as it is registered.") var encoder: String
    @Option(help: "Folder of the same encoder, for the same work without the daemon.") var model: String
    @Option(help: "Table with labelled texts.") var csv: String
    @Option(help: "Column of texts.") var text = "text"
    @Option(help: "Column of labels.") var label = "category"
    @Option(help: "Seconds of each measurement.") var seconds = 3.0
    @Option(help: "Most heads in one request.") var heads = 100
    @Option(help: "fp32 or int8.") var precision = Precision.fp32

    func run() async throws {
        let table = try Table.read(path: csv)
        let texts = try table.column(text)
        let client = try await HidraClient.connect(client: "hidra-bench")
        let names = try await trainedHeads(client, texts, try table.column(label))
        try await overhead(client, names[0])
        try await manyHeads(client, names)
        for clients in [1, 4, 16] { try await throughput(clients, names[0], texts) }
        await client.close()
    }

    /// Heads on some rows of the table, each from a seed of its own.
    private func trainedHeads(_ client: HidraClient, _ texts: [String], _ labels: [String]) async throws -> [String] {
        let names = (0..<heads).map { "bench-\($0)" }
        let present = Set(try await client.list().heads.map(\.name))
        let missing = names.indices.filter { !present.contains(names[$0]) }
        guard !missing.isEmpty else { return names }
        let rows = min(texts.count, 2_000)
        let data = try await client.upload(
            columns: [UploadColumn("text", Array(texts.prefix(rows))), UploadColumn("label", Array(labels.prefix(rows)))])
        for index in missing {
            var request = Hidra_V1_TrainRequest()
            request.head = names[index]
            request.encoder = encoder
            request.data = data
            request.inputColumn = "text"
            request.labelColumn = "label"
            request.hyperparameters.seed = UInt64(index)
            request.hyperparameters.epochs = 2
            _ = try await client.train(request)
        }
        return names
    }

    /// One short sentence, alternately in this process and through the daemon: the difference is what the socket, the envelope and the
    /// scheduling add.
    private func overhead(_ client: HidraClient, _ head: String) async throws {
        let local = try TextEncoder(folder: URL(filePath: model), precision: precision)
        var direct: [Double] = [], served: [Double] = []
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            // A text that no cache knows: a real question each time.
            let text = "What can I do if my card number \(served.count) still hasn't arrived?"
            var start = ContinuousClock.now
            _ = local.features([local.tokenize(text)])
            direct.append((ContinuousClock.now - start) / .milliseconds(1))
            start = .now
            _ = try await client.predict(heads: [head], .texts([text]), precision: precision.rawValue)
            served.append((ContinuousClock.now - start) / .milliseconds(1))
        }
        let (alone, through) = (Percentiles(direct), Percentiles(served))
        say([
            ("bench", "one sentence"), ("precision", precision.rawValue), ("tokens", local.tokenize("What can I do if my card number 1 still hasn't arrived?").count),
            ("requests", served.count), ("engine_p50_ms", alone[0.5]), ("engine_p99_ms", alone[0.99]),
            ("socket_p50_ms", through[0.5]), ("socket_p99_ms", through[0.99]),
            ("added_p50_us", (through[0.5] - alone[0.5]) * 1e3),
        ])
    }

    private func manyHeads(_ client: HidraClient, _ names: [String]) async throws {
        let counts = [1, 10, 100].filter { $0 <= names.count }
        var times = [[Double]](repeating: [], count: counts.count)
        let end = ContinuousClock.now + .seconds(seconds)
        var round = 0
        while ContinuousClock.now < end {
            for (index, count) in counts.enumerated() {
                round += 1
                let text = "Where did my transfer number \(round) to the other account go?"
                let start = ContinuousClock.now
                _ = try await client.predict(heads: Array(names.prefix(count)), .texts([text]), precision: precision.rawValue)
                times[index].append((ContinuousClock.now - start) / .milliseconds(1))
            }
        }
        let one = Percentiles(times[0])[0.5]
        for (count, times) in zip(counts, times) {
            let p50 = Percentiles(times)[0.5]
            say([("bench", "heads in one request"), ("heads", count), ("p50_ms", p50), ("ratio_to_one", p50 / one)])
        }
    }

    /// Sentences a second of several clients, each waiting for its answer before it asks again.
    private func throughput(_ clients: Int, _ head: String, _ texts: [String]) async throws {
        let end = ContinuousClock.now + .seconds(seconds), begin = ContinuousClock.now
        let answered = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<clients {
                group.addTask {
                    let client = try await HidraClient.connect(client: "hidra-bench \(index)")
                    var count = 0
                    while ContinuousClock.now < end {
                        let text = texts[(index * 613 + count) % texts.count] + " (\(clients)/\(index))"
                        _ = try await client.predict(heads: [head], .texts([text]), precision: precision.rawValue)
                        count += 1
                    }
                    await client.close()
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        let elapsed = (ContinuousClock.now - begin) / .seconds(1)
        say([("bench", "concurrent clients"), ("clients", clients), ("per_second", Double(answered) / elapsed)])
    }
}

/// Order statistics of some measurements.
struct Percentiles {
    private let sorted: [Double]

    init(_ values: [Double]) { sorted = values.sorted() }

    /// The smallest value that at least this share of the values does not exceed.
    subscript(share: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
}
