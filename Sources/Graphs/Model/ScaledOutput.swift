import ONNX
import TensorCore

extension GraphModel {
    /// The same model with its first output `y` as `y · deviation + mean`, and a note of both in its metadata: a head learns numbers shifted
    /// and scaled, and who runs its export elsewhere wants them as they were.
    ///
    /// - Throws: `GraphError.malformed` for a model without output, or whose output no node gives.
    package func scalingOutput(mean: Double, deviation: Double) throws -> GraphModel {
        var proto = proto
        guard let output = proto.graph.output.first?.name else { throw GraphError(.malformed, "the model has no output") }
        var names = Set(proto.graph.initializer.map(\.name)).union(proto.graph.input.map(\.name))
        for node in proto.graph.node { names.formUnion(node.output) }
        func free(_ base: String) -> String {
            var name = base, number = 2
            while !names.insert(name).inserted { (name, number) = ("\(base).\(number)", number + 1) }
            return name
        }
        let raw = free("\(output).learnt"), scaled = free("\(output).scaled")
        let factor = free("\(output).deviation"), shift = free("\(output).mean")
        var isGiven = false
        for index in proto.graph.node.indices {
            proto.graph.node[index].input = proto.graph.node[index].input.map { $0 == output ? raw : $0 }
            guard let place = proto.graph.node[index].output.firstIndex(of: output) else { continue }
            proto.graph.node[index].output[place] = raw
            isGiven = true
        }
        guard isGiven else { throw GraphError(.malformed, "no node gives the model's output \"\(output)\"") }
        for (name, value) in [(factor, deviation), (shift, mean)] {
            proto.graph.initializer.append(TensorProto(GraphValue(Tensor(scalar: Float(value))), name: name))
        }
        for (op, inputs, result) in [("Mul", [raw, factor], scaled), ("Add", [scaled, shift], output)] {
            var node = NodeProto()
            node.name = result
            node.opType = op
            node.input = inputs
            node.output = [result]
            proto.graph.node.append(node)
        }
        for (key, value) in [("hidra.mean", mean), ("hidra.deviation", deviation)] {
            var entry = StringStringEntryProto()
            entry.key = key
            entry.value = String(value)
            proto.metadataProps.append(entry)
        }
        return GraphModel(proto, limits: limits)
    }
}
