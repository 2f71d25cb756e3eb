import Foundation
import Graphs
import HidraClient
import HidraProtocol
import TensorCore
import TestSupport
import Testing

@testable import Daemon

@Suite("Graphs, over the daemon's sockets")
struct GraphEndToEndTests {
    /// The built-in MLP as an ONNX model, with weights that training can start from.
    private static func model(width: Int, outputs: Int) throws -> Data {
        func weights(_ shape: Shape, _ seed: UInt64) -> Tensor {
            var random = Random(seed: seed)
            return Tensor((0..<shape.count).map { _ in (random.uniform() - 0.5) / 2 }, shape)
        }
        return try GraphModel(
            GraphWriter.mlp(
                hidden: (weights([24, width], 1), weights([24], 2)),
                output: (weights([outputs, 24], 3), weights([outputs], 4)),
                dropout: 0.1)
        ).serialized()
    }

    @Test(
        "a graph is trained as a head, answers, survives a restart, and is exported as a model that computes the same")
    func wholeStory() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(200))
        var request = trainRequest("net", data)
        request.kind.name = "graph"
        request.kind.graph = try Self.model(width: 32, outputs: 4)
        let trained = try await client.train(request) { _ in }
        #expect(trained.head.kind == "graph" && trained.head.parameters == 24 * 32 + 24 + 4 * 24 + 4)
        let before = try await client.predict(heads: ["net"], .texts(["cc a b"]), top: 4).inputs[0].heads[0]
        #expect(before.labels[0].label == "c")

        let features = try await client.embed(encoder: "tiny", .texts(["cc a b"]))
        let exported = try await client.export(head: "net")
        let input = GraphTensor(
            name: "features", type: .float32, shape: [1, 32], bytes: features.values.withUnsafeBytes { Array($0) })
        let (outputs, _) = try await client.runGraph(exported, inputs: [input])
        let logits = outputs[0].bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        // The graph states the temperature that the daemon divides by.
        let temperature = Float(trained.calibration.temperature)
        let probabilities = Softmax()(Tensor(logits.map { $0 / temperature }, [1, 4])).values
        for label in before.labels {
            let index = try #require(trained.head.labels.firstIndex(of: label.label))
            #expect(abs(Double(probabilities[index]) - label.score) < 1e-5, "\(label.label)")
        }
        await client.close()
        try await daemon.stop()

        let again = try RunningDaemon(folder: daemon.folder)
        let next = try await again.connect()
        #expect(try await next.predict(heads: ["net"], .texts(["cc a b"]), top: 4).inputs[0].heads[0] == before)
        await next.close()
        try await again.stop()
    }

    @Test("a check reports a graph that would be refused; running or training it is an error that says why")
    func refusals() async throws {
        let daemon = try RunningDaemon()
        let client = try await daemon.connectWithEncoder()
        let good = try await client.checkGraph(Self.model(width: 32, outputs: 4), batch: 16)
        #expect(good.problems.isEmpty && good.parameters == 24 * 32 + 24 + 4 * 24 + 4 && good.activationBytes > 0)
        let bad = try await client.checkGraph(Data("no model".utf8))
        #expect(bad.problems.count == 1)
        let run = await #expect(throws: HidraError.self) {
            try await client.runGraph(Data("no model".utf8), inputs: [])
        }
        #expect(run?.code == .unsupported)

        let data = try await client.upload(columns: letterRows(40))
        var request = trainRequest("net", data)
        request.kind.name = "graph"
        request.kind.graph = try Self.model(width: 32, outputs: 7)
        let refused = request
        let train = await #expect(throws: HidraError.self) { try await client.train(refused) { _ in } }
        #expect(train?.code == .invalidArgument && train?.message.contains("[2, 4]") == true, "\(train?.message ?? "")")
        #expect(try await client.list().runs.isEmpty, "a graph that does not fit is refused before anything is encoded")
        await client.close()
        try await daemon.stop()
    }
}
