import Checkpoints
import Foundation
import ONNX
import SwiftProtobuf
import TensorCore
import Testing
import Training

@testable import Graphs

/// onnxruntime is asked where Python has onnx and onnxruntime (`HIDRA_PYTHON`).
@Suite("Exported heads in onnxruntime", .serialized)
struct RuntimeExportTests {
    struct Values: Codable {
        let shape: [Int], type: String, values: [Float]
    }

    struct Case: Codable {
        let inputs: [String: Values], output: Values
    }

    @Test("a trained head is a valid model and gives the same outputs", arguments: ExportedHeadTests.cases)
    func trained(_ name: String, _ exporter: String) throws {
        let fixture = try HeadFixture.load(name),
            network = try GraphNetwork(HeadFixture.model("\(name).\(exporter)"), seed: 0)
        var optimiser = AdamW(network.parameters, weightDecay: 0)
        for _ in 0..<5 {
            let output = try #require(try network(fixture.values, dropoutSeed: nil).first?.value.tensor)
            optimiser.step(fixture.loss(of: output).gradients(for: network.parameters.map(\.value)), learningRate: 0.02)
        }
        let output = try #require(try network(fixture.values, dropoutSeed: nil).first?.value.tensor)
        let inputs = fixture.inputs.mapValues {
            Values(shape: $0.shape, type: $0.type, values: $0.values.map { Float($0) })
        }
        try check(
            network.export(),
            Case(inputs: inputs, output: Values(shape: output.shape.dimensions, type: "float32", values: output.values))
        )
    }

    @Test("the built-in kinds are valid models and give the same outputs")
    func builtIn() throws {
        var random = Random(seed: 3)
        func numbers(_ shape: Shape) -> Tensor { Tensor((0..<shape.count).map { _ in random.uniform() - 0.5 }, shape) }
        let x = numbers([3, 6]), w1 = numbers([8, 6]), b1 = numbers([8]), w2 = numbers([4, 8]), b2 = numbers([4])
        let expected = LinearProduct()(GELU()(LinearProduct()(x, w1, b1)), w2, b2)
        let models = [
            (GraphWriter.linear(weight: w1, bias: b1), LinearProduct()(x, w1, b1)),
            (GraphWriter.mlp(hidden: (w1, b1), output: (w2, b2), dropout: 0.3), expected),
        ]
        for (proto, expected) in models {
            let model = GraphModel(proto)
            #expect(model.check().problems == [])
            let network = try GraphNetwork(model, seed: 0)
            let output = try network(x, dropoutSeed: nil)
            #expect(worst(output.values, expected.values).difference <= 1e-6)
            let inputs = ["features": Values(shape: [3, 6], type: "float32", values: x.values)]
            try check(
                proto.serializedData(),
                Case(
                    inputs: inputs,
                    output: Values(shape: expected.shape.dimensions, type: "float32", values: expected.values)))
        }
    }

    @Test("weights that were declared are initialisers after training")
    func declared() throws {
        var builder = ModelBuilder.head
        builder.proto.graph.initializer.removeAll { $0.name == "w1" }
        builder.input("w1", .float32, [4, 5])
        var entry = StringStringEntryProto()
        entry.key = "hidra.init.w1"
        entry.value = "xavier_uniform"
        builder.proto.metadataProps = [entry]
        let model = try builder.model(), network = try GraphNetwork(model, seed: 4)
        #expect(network.inputNames == ["x"])
        #expect(model.check().weights.first { $0.name == "w1" }?.isDeclared == true)
        let weight = try #require(network.parameters.first { $0.name == "w1" }?.value)
        #expect(weight.values.allSatisfy { abs($0) <= (6.0 / 9).squareRoot() } && Set(weight.values).count > 10)
        #expect(try GraphNetwork(model, seed: 4).parameters.first { $0.name == "w1" }?.value.values == weight.values)
        #expect(try GraphNetwork(model, seed: 5).parameters.first { $0.name == "w1" }?.value.values != weight.values)
        let x = Tensor((0..<8).map { Float($0) }, [2, 4]), output = try network(x, dropoutSeed: nil)
        let inputs = ["x": Values(shape: [2, 4], type: "float32", values: x.values)]
        try check(
            network.export(),
            Case(inputs: inputs, output: Values(shape: [2, 3], type: "float32", values: output.values)))
    }

    /// Compares a written model with what it was written from: read back here, and by onnxruntime where there is one.
    private func check(_ model: Data, _ expected: Case) throws {
        let inputs = try expected.inputs.mapValues { values in
            let bytes = try #require(
                values.type == "int64"
                    ? values.values.map { Int64($0) }.withUnsafeBytes { Data($0) }
                    : values.type == "float32" ? values.values.withUnsafeBytes { Data($0) } : nil)
            return try GraphValue(
                type: try #require(ElementType(rawValue: values.type)), shape: values.shape, bytes: bytes)
        }
        let output = try #require(try GraphProgram(GraphModel(data: model)).run(inputs: inputs).first?.value.tensor)
        #expect(output.shape.dimensions == expected.output.shape)
        #expect(worst(output.values, expected.output.values).difference <= 1e-6)
        guard try NodeCase.run(NodeCase.python, ["-c", "import onnx, onnxruntime"]).status == 0 else { return }
        let folder = FileManager.default.temporaryDirectory.appending(path: "hidra-export-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = [folder.appending(path: "model.onnx"), folder.appending(path: "case.json")]
        try model.write(to: files[0])
        try JSONEncoder().encode(expected).write(to: files[1])
        let result = try NodeCase.run(
            NodeCase.python, [NodeCase.script("check_export.py"), files[0].path, files[1].path])
        #expect(result.status == 0, "\(result.errors)")
    }
}
