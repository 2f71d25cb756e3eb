import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol
import Tables

/// Tuning an encoder on pairs of a few rows a label, and a head upon it. `Tests/Benchmarks/peers_setfit.py` does the same with setfit.
struct SetFit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setfit",
        abstract: "Time and accuracy of few-shot training, on the running daemon.",
        discussion: "Example: hidra-bench setfit --csv train.csv --test test.csv --text text --label category --encoder minilm")

    @Option var csv: String
    @Option var test: String
    @Option var text = "text"
    @Option var label = "category"
    @Option var encoder = "minilm"
    @Option(help: "Rows of each label: the first in the file.") var shots = 8
    @Option(help: "Pairs of each kind for each row.") var iterations: UInt32 = 20
    @Option(help: "Top layers tuned; 0: half of them.") var layers: UInt32 = 0

    func run() async throws {
        let client = try await HidraClient.connect(client: "hidra-bench")
        let table = try Table.read(path: csv), texts = try table.column(text), labels = try table.column(label)
        var counts: [String: Int] = [:]
        let rows = labels.indices.filter { row in
            counts[labels[row], default: 0] += 1
            return counts[labels[row], default: 0] <= shots
        }
        let few = try await client.upload(
            columns: [UploadColumn("text", rows.map { texts[$0] }), UploadColumn("label", rows.map { labels[$0] })])
        let testTable = try Table.read(path: test)
        let held = try await client.upload(
            columns: [UploadColumn("text", try testTable.column(text)), UploadColumn("label", try testTable.column(label))])
        var request = Hidra_V1_TrainRequest()
        (request.head, request.encoder, request.replace) = ("bench-setfit", encoder, true)
        (request.data, request.inputColumn, request.labelColumn) = (few, "text", "label")
        request.hyperparameters.validation = 0
        request.testData = held
        let plain = try await client.train(request)
        request.testData = ""
        request.contrastive.encoder = "bench-setfit-encoder"
        request.contrastive.iterations = iterations
        request.contrastive.layers = layers
        let start = ContinuousClock.now
        _ = try await client.train(request)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        var evaluation = Hidra_V1_EvaluateRequest()
        (evaluation.head, evaluation.data, evaluation.inputColumn, evaluation.labelColumn) = ("bench-setfit", held, "text", "label")
        let tuned = try await client.evaluate(evaluation)
        say([
            ("bench", "setfit"), ("rows", rows.count), ("iterations", Int(iterations)), ("seconds", seconds),
            ("accuracy", tuned.metrics["accuracy"] ?? 0), ("plain_accuracy", plain.test.metrics["accuracy"] ?? 0),
        ])
        _ = try await client.remove("bench-setfit", withHeads: false)
        _ = try await client.remove("bench-setfit-encoder", withHeads: true)
        await client.close()
    }
}
