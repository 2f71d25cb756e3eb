package import ONNX
package import TensorCore

/// Writes small graphs: the built-in heads.
package struct GraphWriter {
    private var graph = GraphProto()
    /// Name of the value the next layer takes.
    private var current: String

    /// A graph of one input `[batch, width]`.
    package init(name: String, input: String = "features", width: Int) {
        graph.name = name
        graph.input = [Self.information(input, width)]
        current = input
    }

    private static func information(_ name: String, _ width: Int) -> ValueInfoProto {
        var batch = TensorShapeProto.Dimension(), columns = TensorShapeProto.Dimension()
        batch.dimParam = "batch"
        columns.dimValue = Int64(width)
        var info = ValueInfoProto()
        info.name = name
        info.type.tensorType.elemType = Int32(ElementType.float32.code)
        info.type.tensorType.shape.dim = [batch, columns]
        return info
    }

    private mutating func add(_ op: String, _ inputs: [String], _ output: String, _ attributes: [AttributeProto] = []) {
        var node = NodeProto()
        node.name = output
        node.opType = op
        node.input = inputs
        node.output = [output]
        node.attribute = attributes
        graph.node.append(node)
        current = output
    }

    /// `x Wᵀ + b` with W `[out, in]`.
    package mutating func linear(_ name: String, weight: Tensor, bias: Tensor, output: String? = nil) {
        graph.initializer.append(TensorProto(GraphValue(weight.detached), name: "\(name).weight"))
        graph.initializer.append(TensorProto(GraphValue(bias.detached), name: "\(name).bias"))
        var transposed = AttributeProto()
        transposed.name = "transB"
        transposed.type = .int
        transposed.i = 1
        add("Gemm", [current, "\(name).weight", "\(name).bias"], output ?? name, [transposed])
    }

    /// The exact form.
    package mutating func gelu() { add("Gelu", [current], "\(current).gelu") }

    /// Active in training only.
    package mutating func dropout(_ ratio: Double) {
        let name = "\(current).dropout"
        graph.initializer.append(TensorProto(GraphValue(Tensor(scalar: Float(ratio))), name: "\(name).ratio"))
        add("Dropout", [current, "\(name).ratio"], name)
    }

    /// The model, its result `[batch, outputs]` being the last layer's.
    package func model(outputs: Int) -> ModelProto {
        var model = ModelProto(), set = OperatorSetIdProto()
        set.version = 20
        model.irVersion = 9
        model.producerName = "hidra"
        model.opsetImport = [set]
        model.graph = graph
        model.graph.output = [Self.information(current, outputs)]
        return model
    }

    /// The built-in kind `linear`.
    package static func linear(weight: Tensor, bias: Tensor) -> ModelProto {
        var writer = GraphWriter(name: "linear", width: weight.shape[1])
        writer.linear("output", weight: weight, bias: bias, output: "outputs")
        return writer.model(outputs: weight.shape[0])
    }

    /// The built-in kind `mlp`: linear, GELU, dropout, linear.
    package static func mlp(
        hidden: (weight: Tensor, bias: Tensor), output: (weight: Tensor, bias: Tensor), dropout: Double
    ) -> ModelProto {
        var writer = GraphWriter(name: "mlp", width: hidden.weight.shape[1])
        writer.linear("hidden", weight: hidden.weight, bias: hidden.bias)
        writer.gelu()
        if dropout > 0 { writer.dropout(dropout) }
        writer.linear("output", weight: output.weight, bias: output.bias, output: "outputs")
        return writer.model(outputs: output.weight.shape[0])
    }
}
