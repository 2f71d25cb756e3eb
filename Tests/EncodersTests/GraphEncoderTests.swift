import Foundation
import ONNX
import TensorCore
import TestSupport
import Testing

@testable import Encoders
@testable import Graphs

@Suite("Encoders as ONNX graphs")
struct GraphEncoderTests {
    private static let width = 5, vocabulary = 60

    private static var table: Tensor {
        var random = Random(seed: 3)
        return Tensor((0..<vocabulary * width).map { _ in random.uniform() - 0.5 }, [vocabulary, width])
    }

    /// `states = Gather(table, input_ids)`, `twice = states + states`; the outputs are `twice`, then `states`.
    private static func model(input: String = "input_ids", positions: Int? = nil) throws -> Data {
        func port(_ name: String, _ type: ElementType) -> ValueInfoProto {
            var port = ValueInfoProto()
            port.name = name
            port.type.tensorType.elemType = Int32(type.code)
            return port
        }
        func node(_ op: String, _ inputs: [String], _ output: String) -> NodeProto {
            var node = NodeProto()
            (node.name, node.opType, node.input, node.output) = (output, op, inputs, [output])
            return node
        }
        var model = ModelProto(), set = OperatorSetIdProto()
        set.version = 17
        (model.irVersion, model.opsetImport) = (8, [set])
        model.graph.name = "encoder"
        model.graph.input = [port(input, .int64)]
        model.graph.initializer = [TensorProto(GraphValue(table), name: "table")]
        model.graph.node = [node("Gather", ["table", input], "states"), node("Add", ["states", "states"], "twice")]
        if let positions {
            // As position embeddings do: longer texts find no row.
            model.graph.initializer.append(
                TensorProto(GraphValue(Tensor(repeating: 0, [1, positions, width])), name: "positions"))
            model.graph.node.append(node("Add", ["twice", "positions"], "placed"))
        }
        model.graph.output = [port(positions == nil ? "twice" : "placed", .float32), port("states", .float32)]
        return try GraphModel(model).serialized()
    }

    private static func folder(_ model: Data) throws -> TemporaryFolder {
        let folder = try TemporaryFolder(), tiny = try TemporaryFolder()
        try TinyEncoder.write(to: tiny.url)
        try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: tiny.url.appending(path: "tokenizer.json"), to: folder.url.appending(path: "tokenizer.json"))
        try model.write(to: folder.url.appending(path: "model.onnx"))
        return folder
    }

    @Test(
        "a text's vector is the mean of its tokens' states at a tap named after the graph's tensor; the first output is the top"
    )
    func features() throws {
        let folder = try Self.folder(Self.model())
        let encoder = try EncoderFolder.load(folder.url)
        #expect(encoder.architecture == "onnx" && encoder.modality == .text)
        #expect(encoder.taps == [Tap(name: "states", width: 5, hasStates: true), Tap(name: "twice", width: 5, hasStates: true)])
        let inputs = try ["ab c", "d", "e f g h"].map { try encoder.prepare(.text($0)) }
        let states = try encoder.features(inputs, tap: 0), twice = try encoder.features(inputs, tap: encoder.topTap)
        for (row, input) in inputs.enumerated() {
            guard case .tokens(let text) = input.content else { continue }
            for column in 0..<Self.width {
                let values = text.ids.map { Self.table.values[Int($0) * Self.width + column] }
                let mean = values.reduce(0, +) / Float(values.count)
                #expect(abs(states.values[row * Self.width + column] - mean) < 1e-6)
                #expect(abs(twice.values[row * Self.width + column] - 2 * mean) < 1e-6)
            }
        }
        #expect(try encoder.features([inputs[2]], tap: 0).values == Array(states.values[10...]), "alone as in a batch")
        let rows = inputs.flatMap { input -> [Float] in
            guard case .tokens(let text) = input.content else { return [] }
            return text.ids.flatMap { id in (0..<Self.width).map { Self.table.values[Int(id) * Self.width + $0] } }
        }
        #expect(try encoder.states(inputs, tap: 0).values == rows, "states are the tokens' own rows, in order")
    }

    @Test(
        "what cannot be an encoder is refused when it is loaded",
        arguments: ["input", "length", "no graph", "no tokenizer"])
    func refusals(_ what: String) throws {
        let folder = try Self.folder(
            what == "no graph"
                ? Data("none".utf8)
                : what == "input" ? Self.model(input: "pixels") : Self.model(positions: what == "length" ? 20 : nil))
        if what == "no tokenizer" {
            try FileManager.default.removeItem(at: folder.url.appending(path: "tokenizer.json"))
        }
        #expect(throws: (any Error).self) { try EncoderFolder.load(folder.url) }
    }
}
