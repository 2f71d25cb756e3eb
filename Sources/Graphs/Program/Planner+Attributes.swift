import Foundation
import ONNX

extension Planner {
    /// Attributes with those that refer to the enclosing function's replaced by what it was called with.
    func bind(
        _ attributes: [AttributeProto], _ outer: [String: AttributeProto]?, _ node: String, _ op: String
    ) -> [AttributeProto] {
        attributes.compactMap { attribute in
            guard !attribute.refAttrName.isEmpty else { return attribute }
            guard let outer else {
                problems.add(
                    GraphError(
                        .malformed,
                        "attribute \(attribute.name) refers to a function's attribute outside of a function",
                        node: node, op: op))
                return nil
            }
            // Left out at the call and without a default: left out here as well.
            guard var value = outer[attribute.refAttrName] else { return nil }
            value.name = attribute.name
            return value
        }
    }

    func read(
        _ attribute: AttributeProto, _ node: String, _ op: String, _ names: Names, _ graph: inout GraphUnderway,
        _ outer: [String: AttributeProto]?, depth: Int
    ) throws(GraphError) -> Attribute {
        func refused(_ what: String) -> GraphError {
            GraphError(
                .unsupported, "attribute \(attribute.name) is \(what), which is not supported", node: node, op: op)
        }
        switch attribute.type {
        case .float: return .float(attribute.f)
        case .int: return .int(attribute.i)
        case .string: return .string(String(decoding: attribute.s, as: UTF8.self))
        case .floats: return .floats(attribute.floats)
        case .ints: return .ints(attribute.ints)
        case .strings: return .strings(attribute.strings.map { String(decoding: $0, as: UTF8.self) })
        case .tensor:
            do { return .tensor(ConstantValue(try GraphValue(attribute.t, limits: model.limits))) } catch {
                throw GraphError(error.code, error.message, node: node, op: op)
            }
        case .graph:
            guard depth < model.limits.depth else { throw refused("a graph more than \(model.limits.depth) deep") }
            let inner = Names(level: names.level + 1, outer: names, versions: names.versions)
            var innerGraph = GraphUnderway(level: names.level + 1)
            innerGraph.attributes = outer
            let plan = plan(attribute.g, inner, &innerGraph, depth: depth + 1)
            graph.noteCaptures(of: innerGraph)
            return .graph(plan)
        case .sparseTensor, .sparseTensors: throw refused("sparse")
        case .graphs, .tensors, .typeProto, .typeProtos: throw refused("a list of graphs or tensors, or a type")
        case .undefined: throw refused("of no type")
        }
    }

    /// The nodes of a function in place of the node that calls it.
    func expand(
        _ function: FunctionProto, _ inputs: [ValueReference?], _ call: NodeProto, _ label: String,
        _ attributes: [AttributeProto],
        _ names: Names, _ graph: inout GraphUnderway, depth: Int
    ) {
        func problem(_ code: GraphError.Code, _ message: String) {
            problems.add(GraphError(code, message, node: label, op: call.opType))
        }
        guard callDepth < model.limits.depth else {
            return problem(.tooLarge, "functions call each other more than \(model.limits.depth) deep, or themselves")
        }
        guard inputs.count <= function.input.count, call.output.count <= function.output.count else {
            return problem(
                .badValue,
                "\(inputs.count) inputs and \(call.output.count) outputs; the function has \(function.input.count) and \(function.output.count)"
            )
        }
        callDepth += 1
        defer { callDepth -= 1 }
        var given = Dictionary(function.attributeProto.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for attribute in attributes { given[attribute.name] = attribute }
        var versions = operatorSets(function.opsetImport, of: "function \(function.name)")
        if versions[""] == nil { versions[""] = names.versions[""] }
        let body = Names(level: names.level, outer: nil, versions: versions)
        body.absent = Set(function.input.dropFirst(inputs.count))
        for (formal, actual) in zip(function.input, inputs) {
            if let actual { body.table[formal] = actual } else { body.absent.insert(formal) }
        }
        plan(function.node.map { body.withoutAbsent($0) }, body, &graph, attributes: given, depth: depth)
        for (formal, actual) in zip(function.output, call.output) where !actual.isEmpty {
            guard let made = body[formal] else {
                problem(.unknownName, "the function does not make its output \"\(formal)\"")
                continue
            }
            // The caller's slot was handed out before; an identity carries the value over.
            graph.note(made, names.level)
            graph.add(
                PlannedNode(
                    name: label, op: "Identity", version: GraphModel.operatorSets.upperBound,
                    entry: OperatorTable.byName["Identity"],
                    attributes: [:], inputs: [made], inputNames: [formal], outputs: [names.table[actual]?.slot],
                    outputNames: [actual],
                    number: nodeCount))
        }
    }
}
