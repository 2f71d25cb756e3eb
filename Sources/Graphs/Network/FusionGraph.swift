import ONNX
import TensorCore

/// How features of several encoders become one.
package enum Fusion: String, Sendable, Codable, CaseIterable {
    /// Side by side, then a hidden layer.
    case concat
    /// For each hidden value a choice between the encoders, which all of them together make (gated multimodal units, Arevalo et al. 2017).
    case gate
    /// Each encoder's summary asks the states of all of them (multi-head attention, Vaswani et al. 2017). Where an encoder has a state for
    /// each token these are read; otherwise its one vector.
    case crossAttention = "cross-attention"

    package static let defaultHidden = 128, defaultDropout = 0.1
    /// More than anybody has; it bounds the graph.
    package static let mostInputs = 8
}

/// Writes the graphs of fusions. Inputs are normalised first, because encoders differ in scale; weights are declared, not given.
package struct FusionGraph {
    package struct Input: Sendable {
        package let name: String
        package let width: Int
        /// `[rows, tokens, width]`, with a mask beside it; otherwise `[rows, width]`.
        package let isSequence: Bool

        package init(name: String, width: Int, isSequence: Bool) {
            self.name = name
            self.width = width
            self.isSequence = isSequence
        }
    }

    private var graph = GraphProto()
    private var metadata: [StringStringEntryProto] = []

    /// A model of `inputs`, its result `[rows, outputs]`.
    package static func model(_ fusion: Fusion, _ inputs: [Input], hidden: Int, dropout: Double, outputs: Int) -> GraphModel {
        precondition(
            inputs.count > 1 && inputs.allSatisfy { !$0.isSequence || fusion == .crossAttention },
            "\(fusion.rawValue) of \(inputs.count) inputs, \(inputs.count { $0.isSequence }) of them sequences")
        var writer = FusionGraph()
        writer.graph.name = fusion.rawValue
        writer.declare(inputs)
        var fused =
            switch fusion {
            case .concat: writer.concatenated(inputs, hidden)
            case .gate: writer.gated(inputs, hidden)
            case .crossAttention: writer.attended(inputs, hidden)
            }
        if dropout > 0 {
            writer.graph.initializer.append(TensorProto(GraphValue(Tensor(scalar: Float(dropout))), name: "dropout.ratio"))
            fused = writer.add("Dropout", [fused, "dropout.ratio"], "dropout")
        }
        let result = writer.linear("output", fused, hidden, outputs, as: "outputs")
        writer.graph.output = [information(result, ["batch", "\(outputs)"])]
        var model = ModelProto(), set = OperatorSetIdProto()
        set.version = 20
        model.irVersion = 9
        model.producerName = "hidra"
        model.opsetImport = [set]
        model.metadataProps = writer.metadata
        model.graph = writer.graph
        return GraphModel(model)
    }

    // MARK: The three

    private mutating func concatenated(_ inputs: [Input], _ hidden: Int) -> String {
        let joined = join(inputs.map { normalised($0.name, $0.width) }, axis: 1, "joined")
        let inner = linear("hidden", joined, inputs.reduce(0) { $0 + $1.width }, hidden)
        return add("Gelu", [inner], "hidden.gelu")
    }

    /// `h = Σᵢ zᵢ ⊙ tanh(Wᵢ xᵢ)`, `z = softmax over i of Y [x₁ … xₙ]`.
    private mutating func gated(_ inputs: [Input], _ hidden: Int) -> String {
        let plain = inputs.map { normalised($0.name, $0.width) }, count = inputs.count
        let joined = join(plain, axis: 1, "joined")
        let choice = linear("gate", joined, inputs.reduce(0) { $0 + $1.width }, count * hidden)
        let chosen = softmax(reshaped(choice, [0, count, hidden], "gate.parts"), axis: 1, "gate.weights")
        let parts = zip(inputs, plain).map { input, value -> String in
            let projected = linear("\(input.name).projection", value, input.width, hidden)
            return reshaped(add("Tanh", [projected], "\(input.name).tanh"), [0, 1, hidden], "\(input.name).part")
        }
        let weighted = add("Mul", [chosen, join(parts, axis: 1, "parts")], "weighted")
        return sum(weighted, axis: 1, keeps: false, "fused")
    }

    private mutating func attended(_ inputs: [Input], _ hidden: Int) -> String {
        let heads = hidden % 4 == 0 ? 4 : 1, count = inputs.count
        scalar("zero", 0)
        scalar("one", 1)
        scalar("far", 1e9)
        scalar("scale", 1 / (Float(hidden) / Float(heads)).squareRoot())
        var states: [String] = [], masks: [String] = [], summaries: [String] = []
        for input in inputs {
            let name = input.name
            let plain = normalised(name, input.width)
            let tokens = input.isSequence ? plain : reshaped(plain, [0, 1, input.width], "\(name).token")
            let own = product("\(name).projection", tokens, input.width, hidden)
            states.append(own)
            if input.isSequence {
                masks.append("\(name)_mask")
                let column = reshaped("\(name)_mask", [0, -1, 1], "\(name).column")
                let total = sum(add("Mul", [own, column], "\(name).masked"), axis: 1, keeps: true, "\(name).total")
                let length = sum(column, axis: 1, keeps: true, "\(name).length")
                summaries.append(add("Div", [total, length], "\(name).summary"))
            } else {
                // A mask of one: zero times anything, plus one.
                let first = sum(name, axis: 1, keeps: true, "\(name).any")
                masks.append(add("Add", [add("Mul", [first, "zero"], "\(name).none"), "one"], "\(name).present"))
                summaries.append(own)
            }
        }
        let memory = join(states, axis: 1, "memory"), queries = join(summaries, axis: 1, "queries")
        func split(_ name: String, _ value: String, _ writer: inout FusionGraph) -> String {
            let projected = writer.product(name, value, hidden, hidden)
            let parts = writer.reshaped(projected, [0, -1, heads, hidden / heads], "\(name).heads")
            return writer.transposed(parts, [0, 2, 1, 3], "\(name).by_head")
        }
        let query = split("query", queries, &self), key = split("key", memory, &self), value = split("value", memory, &self)
        let scores = add("MatMul", [query, transposed(key, [0, 1, 3, 2], "key.columns")], "scores")
        // Nothing where there is a token, minus 10⁹ where there is none.
        let absent = add("Mul", [add("Sub", [join(masks, axis: 1, "mask"), "one"], "absent"), "far"], "bias")
        let masked = add(
            "Add", [add("Mul", [scores, "scale"], "scaled"), reshaped(absent, [0, 1, 1, -1], "bias.rows")], "masked")
        let context = transposed(add("MatMul", [softmax(masked, axis: -1, "attention"), value], "context"), [0, 2, 1, 3], "context.rows")
        let answers = product("answer", reshaped(context, [0, count, hidden], "context.joined"), hidden, hidden)
        let settled = layerNorm("norm", add("Add", [queries, answers], "residual"), hidden)
        let inner = linear("hidden", reshaped(settled, [0, count * hidden], "settled"), count * hidden, hidden)
        return add("Gelu", [inner], "hidden.gelu")
    }

    // MARK: Nodes

    @discardableResult
    private mutating func add(_ op: String, _ inputs: [String], _ output: String, _ attributes: [AttributeProto] = []) -> String {
        var node = NodeProto()
        node.name = output
        node.opType = op
        node.input = inputs
        node.output = [output]
        node.attribute = attributes
        graph.node.append(node)
        return output
    }

    /// `x Wᵀ + b` with W `[out, in]`, of rows `[rows, in]`.
    private mutating func linear(_ name: String, _ x: String, _ input: Int, _ output: Int, as result: String? = nil) -> String {
        weight("\(name).weight", [output, input], "xavier_uniform@oi")
        weight("\(name).bias", [output], "zeros")
        return add("Gemm", [x, "\(name).weight", "\(name).bias"], result ?? name, [integer("transB", 1)])
    }

    /// `x W + b` with W `[in, out]`, of anything `[…, in]`.
    private mutating func product(_ name: String, _ x: String, _ input: Int, _ output: Int) -> String {
        weight("\(name).weight", [input, output], "xavier_uniform")
        weight("\(name).bias", [output], "zeros")
        return add("Add", [add("MatMul", [x, "\(name).weight"], "\(name).product"), "\(name).bias"], name)
    }

    private mutating func normalised(_ name: String, _ width: Int) -> String { layerNorm("\(name).norm", name, width) }

    private mutating func layerNorm(_ name: String, _ x: String, _ width: Int) -> String {
        weight("\(name).scale", [width], "ones")
        weight("\(name).shift", [width], "zeros")
        var epsilon = AttributeProto()
        (epsilon.name, epsilon.type, epsilon.f) = ("epsilon", .float, 1e-5)
        return add("LayerNormalization", [x, "\(name).scale", "\(name).shift"], name, [integer("axis", -1), epsilon])
    }

    private mutating func join(_ parts: [String], axis: Int64, _ name: String) -> String {
        add("Concat", parts, name, [integer("axis", axis)])
    }

    private mutating func softmax(_ x: String, axis: Int64, _ name: String) -> String {
        add("Softmax", [x], name, [integer("axis", axis)])
    }

    private mutating func transposed(_ x: String, _ order: [Int64], _ name: String) -> String {
        var permutation = AttributeProto()
        (permutation.name, permutation.type, permutation.ints) = ("perm", .ints, order)
        return add("Transpose", [x], name, [permutation])
    }

    /// 0 keeps an extent, -1 takes what is left.
    private mutating func reshaped(_ x: String, _ shape: [Int], _ name: String) -> String {
        graph.initializer.append(Self.integers("\(name).shape", shape))
        return add("Reshape", [x, "\(name).shape"], name)
    }

    private mutating func sum(_ x: String, axis: Int, keeps: Bool, _ name: String) -> String {
        graph.initializer.append(Self.integers("\(name).axes", [axis]))
        return add("ReduceSum", [x, "\(name).axes"], name, [integer("keepdims", keeps ? 1 : 0)])
    }

    private func integer(_ name: String, _ value: Int64) -> AttributeProto {
        var attribute = AttributeProto()
        (attribute.name, attribute.type, attribute.i) = (name, .int, value)
        return attribute
    }

    // MARK: Values

    private mutating func declare(_ inputs: [Input]) {
        for input in inputs {
            let tokens = "\(input.name)_tokens"
            graph.input.append(
                Self.information(input.name, ["batch"] + (input.isSequence ? [tokens] : []) + ["\(input.width)"]))
            if input.isSequence { graph.input.append(Self.information("\(input.name)_mask", ["batch", tokens])) }
        }
    }

    private mutating func weight(_ name: String, _ shape: [Int], _ initial: String) {
        graph.input.append(Self.information(name, shape.map { String($0) }))
        var entry = StringStringEntryProto()
        (entry.key, entry.value) = (DeclaredInitialiser.prefix + name, initial)
        metadata.append(entry)
    }

    private mutating func scalar(_ name: String, _ value: Float) {
        graph.initializer.append(TensorProto(GraphValue(Tensor(scalar: value)), name: name))
    }

    private static func integers(_ name: String, _ values: [Int]) -> TensorProto {
        var tensor = TensorProto()
        tensor.name = name
        tensor.dims = [Int64(values.count)]
        tensor.dataType = Int32(ElementType.int64.code)
        tensor.int64Data = values.map { Int64($0) }
        return tensor
    }

    /// Extents that are numbers are fixed, others symbols.
    private static func information(_ name: String, _ shape: [String]) -> ValueInfoProto {
        var info = ValueInfoProto()
        info.name = name
        info.type.tensorType.elemType = Int32(ElementType.float32.code)
        info.type.tensorType.shape.dim = shape.map { extent in
            var dimension = TensorShapeProto.Dimension()
            if let number = Int64(extent) { dimension.dimValue = number } else { dimension.dimParam = extent }
            return dimension
        }
        return info
    }
}
