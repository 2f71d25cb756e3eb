import Foundation
import ONNX
import SwiftProtobuf
import TensorCore
import Testing

@testable import Graphs

@Suite("Bad graphs")
struct BadGraphTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let code: GraphError.Code
        /// Words the message must have: what is wrong, and where.
        let words: [String]
        var limits = GraphLimits.default
        let change: @Sendable (inout ModelBuilder) -> Void

        var testDescription: String { name }
    }

    private static func small(_ change: (inout GraphLimits) -> Void) -> GraphLimits {
        var limits = GraphLimits.default
        change(&limits)
        return limits
    }

    /// Each is the sound head `ModelBuilder.head` with one thing wrong.
    static let cases: [Case] = [
        Case(name: "a circle", code: .cycle, words: ["circle", "Gemm_0", "Relu_1"]) {
            $0.proto.graph.node[0].input[0] = "r"
        },
        Case(name: "a node that needs itself", code: .cycle, words: ["Relu_1"]) {
            $0.proto.graph.node[1].input = ["r"]
        },
        Case(name: "an input nobody makes", code: .unknownName, words: ["Relu_1", "\"nothing\""]) {
            $0.proto.graph.node[1].input = ["nothing"]
        },
        Case(name: "an output nobody makes", code: .unknownName, words: ["\"z\""]) { $0.output("z") },
        Case(name: "two values of one name", code: .duplicateName, words: ["\"h\""]) { $0.node("Relu", ["x"], ["h"]) },
        Case(name: "two initialisers of one name", code: .duplicateName, words: ["\"w1\""]) {
            $0.weight("w1", [4, 5])
        },
        Case(name: "an unknown operator", code: .unsupported, words: ["MatMull", "nearest", "MatMul", "the product"]) {
            $0.proto.graph.node[2].opType = "MatMull"
            $0.proto.graph.node[2].name = "the product"
        },
        Case(name: "an operator with random numbers", code: .unsupported, words: ["RandomNormal"]) {
            $0.node("RandomNormal", [], ["n"], [ModelBuilder.integers("shape", [2])])
        },
        Case(name: "a custom domain", code: .unsupported, words: ["com.example", "Relu_1"]) {
            $0.proto.graph.node[1].domain = "com.example"
        },
        Case(name: "an operator set too new", code: .unsupported, words: ["operator set 99"]) {
            $0.proto.opsetImport[0].version = 99
        },
        Case(name: "an operator set too old", code: .unsupported, words: ["operator set 6"]) {
            $0.proto.opsetImport[0].version = 6
        },
        Case(name: "no operator set", code: .malformed, words: ["opset_import"]) { $0.proto.opsetImport = [] },
        Case(name: "weights in another file", code: .externalData, words: ["w1", "another file"]) {
            var entry = StringStringEntryProto()
            entry.key = "location"
            entry.value = "/etc/passwd"
            $0.proto.graph.initializer[0].externalData = [entry]
            $0.proto.graph.initializer[0].dataLocation = .external
            $0.proto.graph.initializer[0].clearRawData()
        },
        Case(name: "a sparse weight", code: .unsupported, words: ["sparse"]) {
            $0.proto.graph.sparseInitializer = [SparseTensorProto()]
        },
        Case(name: "a weight of strings", code: .unsupported, words: ["string", "w1"]) {
            $0.proto.graph.initializer[0].dataType = 8
        },
        Case(name: "a weight with too few bytes", code: .malformed, words: ["w1"]) {
            $0.proto.graph.initializer[0].rawData.removeLast()
        },
        Case(name: "a weight with a negative extent", code: .badValue, words: ["w1", "-4"]) {
            $0.proto.graph.initializer[0].dims[0] = -4
        },
        Case(name: "a weight of extents past counting", code: .tooLarge, words: ["w1"]) {
            $0.proto.graph.initializer[0].dims = [1 << 40, 1 << 40]
        },
        Case(name: "an input with a negative extent", code: .badValue, words: ["\"x\"", "-1"]) {
            $0.proto.graph.input[0].type.tensorType.shape.dim[1].dimValue = -1
        },
        Case(name: "an input that is a sequence", code: .unsupported, words: ["\"x\""]) {
            $0.proto.graph.input[0].type.sequenceType = .init()
        },
        Case(name: "shapes that do not fit", code: .shapeMismatch, words: ["MatMul_2", "[2, 5]", "[7, 3]"]) {
            $0.proto.graph.initializer[2] = TensorProto(GraphValue(Tensor(repeating: 1, [7, 3])), name: "w2")
        },
        Case(name: "a bias that does not fit", code: .shapeMismatch, words: ["Gemm_0", "[6]", "[2, 5]"]) {
            $0.proto.graph.initializer[1] = TensorProto(GraphValue(Tensor(repeating: 1, [6])), name: "b1")
        },
        Case(name: "a wrong element type", code: .typeMismatch, words: ["Gemm_0", "int64"]) {
            $0.proto.graph.initializer[1] = TensorProto(.int64([1, 2, 3, 4, 5], [5]), name: "b1")
        },
        Case(name: "a declared output type that is wrong", code: .typeMismatch, words: ["\"y\"", "int64", "float32"]) {
            $0.proto.graph.output[0] = ModelBuilder.information("y", .int64, ["batch", 3])
        },
        Case(name: "too few inputs", code: .unknownName, words: ["Gemm_0"]) { $0.proto.graph.node[0].input = ["x"] },
        Case(name: "too many inputs", code: .badValue, words: ["Relu_1"]) {
            $0.proto.graph.node[1].input = ["h", "h", "h"]
        },
        Case(name: "too many outputs", code: .unsupported, words: ["Relu_1"]) {
            $0.proto.graph.node[1].output = ["r", "s", "t"]
        },
        Case(name: "an attribute of a wrong type", code: .typeMismatch, words: ["Gemm_0", "transB"]) {
            $0.proto.graph.node[0].attribute = [ModelBuilder.string("transB", "yes")]
        },
        Case(name: "an axis that is not there", code: .badValue, words: ["axis 5"]) {
            $0.node("Softmax", ["y"], ["s"], name: "soft", [ModelBuilder.integer("axis", 5)])
        },
        Case(name: "a result too large", code: .tooLarge, words: ["big"]) {
            $0.integers("shape", [1 << 20, 1 << 20])
            $0.node("ConstantOfShape", ["shape"], ["big"], name: "big")
        },
        Case(name: "a result of extents past counting", code: .tooLarge, words: ["big"]) {
            $0.integers("shape", [1 << 40, 1 << 40])
            $0.node("ConstantOfShape", ["shape"], ["big"], name: "big")
        },
        Case(name: "a negative extent from within", code: .badValue, words: ["-3"]) {
            $0.integers("shape", [-3, 2])
            $0.node("ConstantOfShape", ["shape"], ["big"])
        },
        Case(name: "a range without end", code: .tooLarge, words: []) {
            $0.integers("from", [0], [])
            $0.integers("to", [Int.max], [])
            $0.integers("step", [1], [])
            $0.node("Range", ["from", "to", "step"], ["big"])
        },
        Case(
            name: "a loop without end", code: .tooLarge, words: ["loops", "endless"], limits: small { $0.steps = 1000 }
        ) {
            $0.integers("turns", [Int.max], [])
            var body = GraphProto()
            body.name = "body"
            body.input = [ModelBuilder.information("i", .int64, []), ModelBuilder.information("c", .bool, [])]
            body.output = [ModelBuilder.information("c", .bool, [])]
            $0.node("Loop", ["turns", ""], ["l"], name: "endless", [ModelBuilder.graph("body", body)])
            $0.proto.graph.node[3].output = []
        },
        Case(name: "a function that calls itself", code: .tooLarge, words: ["functions"]) {
            var function = FunctionProto(), inner = NodeProto(), set = OperatorSetIdProto()
            set.version = 20
            inner.opType = "F"
            inner.domain = "own"
            inner.input = ["a"]
            inner.output = ["b"]
            function.name = "F"
            function.domain = "own"
            function.input = ["a"]
            function.output = ["b"]
            function.opsetImport = [set]
            function.node = [inner]
            $0.proto.functions = [function]
            $0.proto.graph.node[1].opType = "F"
            $0.proto.graph.node[1].domain = "own"
        },
        Case(name: "too many nodes", code: .tooLarge, words: ["nodes"], limits: small { $0.nodes = 2 }) { _ in },
        Case(name: "a file too large", code: .tooLarge, words: ["bytes"], limits: small { $0.fileBytes = 50 }) { _ in },
        Case(name: "a declared initialiser without an input", code: .unknownName, words: ["hidra.init.q"]) {
            var entry = StringStringEntryProto()
            entry.key = "hidra.init.q"
            entry.value = "zeros"
            $0.proto.metadataProps = [entry]
        },
        Case(name: "a declared initialiser of an unknown kind", code: .badValue, words: ["magic"]) {
            var entry = StringStringEntryProto()
            entry.key = "hidra.init.w3"
            entry.value = "magic"
            $0.proto.metadataProps = [entry]
            $0.input("w3", .float32, [3, 3])
        },
    ]

    @Test("are refused by name, with what is wrong and where", arguments: cases)
    func refused(_ bad: Case) throws {
        var builder = ModelBuilder.head
        bad.change(&builder)
        let error = try #require(throws: GraphError.self) { try Self.use(builder.data, bad.limits) }
        #expect(error.code == bad.code, "\(error)")
        for word in bad.words { #expect("\(error)".contains(word), "\(error) does not say \(word)") }
    }

    /// Reads, checks and runs a model on ones.
    private static func use(_ data: Data, _ limits: GraphLimits = .default) throws {
        let model = try GraphModel(data: data, limits: limits)
        if let problem = model.check(batch: 2).problems.first {
            throw GraphError(problem.code, problem.message, node: problem.node, op: problem.op)
        }
        let program = try GraphProgram(model)
        var inputs: [String: GraphValue] = [:]
        for input in program.plan.inputs where !input.hasDefault {
            let shape = (input.shape ?? []).map { dimension -> Int in
                if case .fixed(let extent) = dimension { extent } else { 2 }
            }
            let count = try checkedCount(shape)
            guard count < 10_000 else { throw GraphError(.tooLarge, "input") }
            let type = input.type ?? .float32
            inputs[input.name] = try GraphValue(
                type: type, shape: shape, bytes: Data(repeating: 1, count: count * type.width))
        }
        _ = try program.run(inputs: inputs)
    }

    @Test("all are reported by a check that goes on after the first")
    func several() throws {
        var builder = ModelBuilder.head
        builder.proto.graph.node[1].opType = "Unheard"
        builder.node("Gemm", ["x", "w2"], ["g"], name: "second")
        builder.node("Softmax", ["y"], ["s"], name: "third", [ModelBuilder.integer("axis", 1)])
        let report = try builder.model().check()
        #expect(report.problems.map(\.node) == ["Relu_1", "second"], "\(report.problems)")
        #expect(report.operators.first { $0.name == "Unheard" }?.isSupported == false)
    }

    @Test("random bytes are no model")
    func randomBytes() {
        var random = Random(seed: 1)
        for length in [0, 1, 2, 10, 100, 1000, 10_000] {
            for _ in 0..<40 {
                let data = Data((0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) })
                #expect(throws: GraphError.self) { try Self.use(data) }
            }
        }
    }

    @Test("a file cut short anywhere is refused or is a smaller model, never a trap")
    func truncated() throws {
        let data = try ModelBuilder.head.data
        for length in 0..<data.count {
            do { try Self.use(data.prefix(length)) } catch is GraphError { continue }
        }
        #expect(throws: Never.self) { try Self.use(data) }
    }

    @Test("millions of empty nodes are refused before they are decoded")
    func emptyNodes() {
        // graph (7), holding nodes (1) of no bytes.
        let nodes = Data((0..<200_000).flatMap { _ in [UInt8(0x0a), 0] })
        var data = Data([0x3a])
        var length = nodes.count
        while length >= 0x80 {
            data.append(UInt8(length & 0x7f | 0x80))
            length >>= 7
        }
        data.append(UInt8(length))
        #expect(throws: GraphError.self) { try GraphModel(data: data + nodes) }
    }

    @Test("graphs a thousand deep in each other are refused")
    func deep() throws {
        var builder = ModelBuilder.head
        var inner = builder.proto.graph
        for _ in 0..<40 {
            var outer = ModelBuilder.head.proto.graph
            outer.node[1].attribute = [ModelBuilder.graph("then_branch", inner)]
            inner = outer
        }
        builder.proto.graph = inner
        let error = try #require(throws: GraphError.self) { try Self.use(builder.data) }
        #expect(error.code == .tooLarge || error.code == .malformed)
    }

    @Test("inputs that do not fit are refused by name")
    func inputs() throws {
        let program = try GraphProgram(ModelBuilder.head.model())
        let good = GraphValue(Tensor(repeating: 1, [2, 4]))
        #expect(throws: Never.self) { try program.run(inputs: ["x": good]) }
        let bad: [([String: GraphValue], String)] = [
            ([:], "\"x\" is missing"), (["x": GraphValue(Tensor(repeating: 1, [2, 5]))], "[2, 5]"),
            (["x": GraphValue(Tensor(repeating: 1, [4]))], "[batch, 4]"),
            (["x": .int64([1, 2, 3, 4], [1, 4])], "int64"),
            (["x": good, "q": good], "\"q\""),
        ]
        for (inputs, words) in bad {
            let error = try #require(throws: GraphError.self) { try program.run(inputs: inputs) }
            #expect(error.message.contains(words), "\(error)")
        }
    }

    @Test("a mutated model throws or runs, and never traps", .timeLimit(.minutes(2)))
    func mutations() throws {
        var random = Random(seed: 20)
        let names = [
            "mlp.script", "attention_pooling.script", "gated_fusion.script", "gru_tagger.script", "conv_decoder.script",
        ]
        let seeds =
            try names.map { try Data(contentsOf: HeadFixture.folder.appending(path: "\($0).onnx")) } + [
                try ModelBuilder.head.data
            ]
        var limits = GraphLimits.default
        limits.tensorElements = 1 << 18
        limits.liveBytes = 64 << 20
        limits.steps = 2000
        let end = ContinuousClock.now + .seconds(20)
        var runs = 0
        while ContinuousClock.now < end, runs < 20_000 {
            var data = seeds[random.index(below: seeds.count)]
            for _ in 0...random.index(below: 4) {
                let at = random.index(below: data.count)
                switch random.index(below: 4) {
                case 0: data[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: data[at] ^= 1 << UInt8(random.index(below: 8))
                case 2: data.remove(at: at)
                default: data.insert([0, 1, 0x7f, 0x80, 0xff][random.index(below: 5)], at: at)
                }
                data = Data(data)
            }
            runs += 1
            do { try Self.use(data, limits) } catch is GraphError { continue }
        }
        #expect(runs > 50)
    }

    @Test("an empty batch goes through a loss over the second of many axes")
    func emptyBatch() throws {
        var builder = ModelBuilder()
        builder.input("x", .float32, ["n", 5, 6, 3])
        builder.input("y", .int64, ["n", 6, 3])
        builder.node("SoftmaxCrossEntropyLoss", ["x", "y"], ["l"], [ModelBuilder.string("reduction", "none")])
        builder.output("l")
        let program = try GraphProgram(builder.model())
        for _ in 0..<100 {
            let loss = try program.run(inputs: [
                "x": GraphValue(Tensor([], [0, 5, 6, 3])), "y": .int64([], [0, 6, 3]),
            ])[0].value
            #expect(loss.shape == [0, 6, 3])
        }
    }
}
