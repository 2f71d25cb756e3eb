import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol
import Synchronization
import Tables

/// What a step costs when its loss is computed by another process: as a call of a training, and by verbs.
struct ExternalLoss: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "external-loss",
        abstract: "Time of a training step whose loss a client computes, beyond the loss itself and the transfer, on the running daemon.",
        discussion: "Example: hidra-bench external-loss --csv train.csv --text text --label category --encoder minilm")

    @Option var csv: String
    @Option var text = "text"
    @Option var label = "category"
    @Option var encoder = "minilm"
    @Option(help: "Rows used.") var limit = 2000
    @Option var batchSize = 64
    @Option var epochs = 10

    func run() async throws {
        let table = try Table.read(path: csv)
        let texts = Array(try table.column(text).prefix(limit)), labels = Array(try table.column(label).prefix(limit))
        let client = try await HidraClient.connect(client: "hidra-bench")
        let data = try await client.upload(columns: [UploadColumn("text", texts), UploadColumn("label", labels)])
        var request = Hidra_V1_TrainRequest()
        request.encoder = encoder
        request.data = data
        (request.inputColumn, request.labelColumn) = ("text", "label")
        request.hyperparameters.batchSize = UInt32(batchSize)
        request.hyperparameters.epochs = UInt32(epochs)
        request.hyperparameters.patience = UInt32(epochs)
        request.hyperparameters.learningRate = 0.001
        request.replace = true
        request.head = "bench-own-loss"
        let own = try await client.train(request).summary
        let transfers = try Transfer.measure(Transfer.Step(rows: batchSize, outputs: Set(labels).count), count: 2000)
        let transfer = Percentiles(Array(transfers.dropFirst(100)))[0.5]
        // Warm features; the same with a loss that costs nothing to compute.
        let inside = Mutex(Duration.zero)
        var calls = CallHandlers()
        calls.loss = { batch in
            let start = ContinuousClock.now
            let loss = CallLoss(1, gradients: [Float](repeating: 0, count: batch.outputs.count))
            inside.withLock { $0 += ContinuousClock.now - start }
            return loss
        }
        request.head = "bench-external-loss"
        let start = ContinuousClock.now
        let external = try await client.train(request, calls: calls).summary
        let total = ContinuousClock.now - start
        let loss = inside.withLock { $0 } / .microseconds(1) / Double(external.steps)
        let step = (total / .seconds(1) - external.extractSeconds) * 1e6 / Double(external.steps)
        say([
            ("bench", "external loss, as a call"), ("steps", Int(external.steps)), ("step_us", step),
            ("own_loss_step_us", own.trainSeconds * 1e6 / Double(own.steps)), ("loss_us", loss),
            ("overhead_us", step - loss - own.trainSeconds * 1e6 / Double(own.steps)), ("transfer_us", transfer),
            ("overhead_beyond_transfer_us", step - loss - own.trainSeconds * 1e6 / Double(own.steps) - transfer),
        ])
        try await verbs(client, data, Array(Set(labels)).sorted())
        for head in ["bench-own-loss", "bench-external-loss"] { _ = try await client.remove(head, withHeads: false) }
        await client.close()
    }

    private func verbs(_ client: HidraClient, _ data: String, _ labels: [String]) async throws {
        var request = Hidra_V1_AttachRequest()
        request.head = "bench-verbs"
        request.encoder = encoder
        request.labels = labels
        request.checkpointSteps = 1
        for checkpoint in [UInt32(1), 1000] {
            request.checkpointSteps = checkpoint
            let head = try await client.attach(request)
            var times: [Double] = []
            for step in 0..<300 {
                let rows = (0..<batchSize).map { (step * batchSize + $0) % limit }, start = ContinuousClock.now
                let outputs = try await head.forward(.rows(rows, of: data, input: "text"))
                try await head.backward([Float](repeating: 0, count: outputs.values.count), step: true)
                times.append((ContinuousClock.now - start) / .microseconds(1))
            }
            try await head.detach(keep: false)
            let sorted = Percentiles(Array(times.dropFirst(20)))
            say([
                ("bench", "external loss, forward and backward"), ("checkpoint_steps", Int(checkpoint)), ("p50_us", sorted[0.5]),
                ("p99_us", sorted[0.99]),
            ])
        }
    }
}

/// Started by `external-loss`, which measures the transfer with it.
struct Echo: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "echo", shouldDisplay: false)

    @Argument var endpoint: String
    @Argument var sizes: [Int]

    func run() throws { try Transfer.echo(endpoint, sizes) }
}
