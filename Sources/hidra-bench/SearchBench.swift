import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol
import Tables

/// What a search for a head's settings costs, and what it wins over the settings that nobody chose.
struct SearchBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Time of a search over configurations of a head with features cached, on the running daemon.",
        discussion: "Example: hidra-bench search --csv train.csv --test test.csv --text text --label category --encoder minilm")

    @Option var csv: String
    @Option var test: String
    @Option var text = "text"
    @Option var label = "category"
    @Option var encoder = "minilm"
    @Option var configurations: UInt32 = 30

    func run() async throws {
        let client = try await HidraClient.connect(client: "hidra-bench")
        func upload(_ path: String) async throws -> String {
            let table = try Table.read(path: path)
            return try await client.upload(
                columns: [UploadColumn("text", try table.column(text)), UploadColumn("label", try table.column(label))])
        }
        var request = Hidra_V1_TrainRequest()
        (request.head, request.encoder, request.replace) = ("bench-search", encoder, true)
        (request.data, request.testData) = (try await upload(csv), try await upload(test))
        (request.inputColumn, request.labelColumn) = ("text", "label")
        // Features are cached by it.
        let plain = try await client.train(request)
        request.search.configurations = configurations
        let start = ContinuousClock.now
        let searched = try await client.train(request)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let chosen = searched.trials.first(where: \.chosen) ?? Hidra_V1_Trial()
        say([
            ("bench", "search"), ("configurations", searched.trials.count), ("seconds", seconds), ("plain_seconds", plain.summary.totalSeconds),
            ("chosen", "\(chosen.kind) \(chosen.hidden)"), ("validation", searched.summary.validationScore),
            ("accuracy", searched.test.metrics["accuracy"] ?? 0), ("plain_validation", plain.summary.validationScore),
            ("plain_accuracy", plain.test.metrics["accuracy"] ?? 0), ("ece", searched.test.metrics["ece"] ?? 0),
            ("ece_uncalibrated", searched.test.metrics["ece_uncalibrated"] ?? 0),
        ])
        _ = try await client.remove("bench-search", withHeads: false)
        await client.close()
    }
}
