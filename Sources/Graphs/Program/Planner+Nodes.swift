import ONNX

extension Planner {
    /// Plans a list of nodes: of a graph, or of a function's body with the attributes it was called with.
    func plan(
        _ protos: [NodeProto], _ names: Names, _ graph: inout GraphUnderway, attributes: [String: AttributeProto]?,
        depth: Int
    ) {
        for proto in protos {
            for output in proto.output where !output.isEmpty {
                guard names.table[output] == nil else {
                    problems.add(
                        GraphError(
                            .duplicateName,
                            "output \"\(output)\" has the name of another value; every value needs its own",
                            node: proto.name, op: proto.opType))
                    continue
                }
                names.table[output] = graph.reference()
            }
        }
        let (order, cycle) = NodeOrder.sorted(protos)
        if let cycle {
            let named = cycle.prefix(8).map { "\"\(protos[$0].name)\" (\(protos[$0].opType))" }.joined(separator: " → ")
            problems.add(GraphError(.cycle, "nodes need each other's outputs in a circle: \(named)"))
        }
        for index in order { planNode(protos[index], names, &graph, attributes: attributes, depth: depth) }
    }

    func planNode(
        _ proto: NodeProto, _ names: Names, _ graph: inout GraphUnderway, attributes outer: [String: AttributeProto]?,
        depth: Int
    ) {
        nodeCount += 1
        guard nodeCount <= model.limits.nodes else {
            if nodeCount == model.limits.nodes + 1 {
                problems.add(GraphError(.tooLarge, "more than \(model.limits.nodes) nodes with the functions expanded"))
            }
            return
        }
        let domain = proto.domain == "ai.onnx" ? "" : proto.domain
        let label = proto.name.isEmpty ? (proto.output.first { !$0.isEmpty } ?? "") : proto.name
        func problem(_ code: GraphError.Code, _ message: String) -> GraphError {
            GraphError(code, message, node: label, op: proto.opType)
        }
        var inputs: [ValueReference?] = []
        for name in proto.input {
            if name.isEmpty {
                inputs.append(nil)
                continue
            }
            guard let reference = names[name] else {
                problems.add(problem(.unknownName, "input \"\(name)\" is made by no node, initialiser or graph input"))
                inputs.append(nil)
                continue
            }
            inputs.append(reference)
        }
        while let last = inputs.last, last == nil, proto.input[inputs.count - 1].isEmpty { inputs.removeLast() }
        let bound = bind(proto.attribute, outer, label, proto.opType)

        if let function = functions[Self.key(domain, proto.opType)] {
            expand(function, inputs, proto, label, bound, names, &graph, depth: depth)
            return
        }
        let entry: Operator?
        if !domain.isEmpty {
            problems.add(
                problem(
                    .unsupported,
                    "domain \"\(domain)\" is not the ONNX operator set and the model has no function of that name; the nearest "
                        + "supported operator is \(OperatorTable.nearest(to: proto.opType))"))
            entry = nil
        } else if let found = OperatorTable.byName[proto.opType] {
            let version = names.versions[""] ?? 0
            if version > 0, version < found.since {
                problems.add(
                    problem(
                        .unsupported,
                        "\(proto.opType) is supported from operator set \(found.since) on; the model imports \(version)"
                    ))
            }
            entry = found
        } else {
            problems.add(
                problem(
                    .unsupported,
                    "the operator is not supported; the nearest supported one is \(OperatorTable.nearest(to: proto.opType))"
                ))
            entry = nil
        }
        operators[proto.opType, default: 0] += 1
        let level = names.level
        for reference in inputs { if let reference { graph.note(reference, level) } }
        var attributes: [String: Attribute] = [:]
        for attribute in bound {
            if entry != nil, !KnownAttributes.contains(attribute.name, of: proto.opType) {
                let known = KnownAttributes.list(of: proto.opType)
                problems.add(
                    problem(
                        .unsupported,
                        "it has no attribute \(attribute.name); "
                            + (known.isEmpty ? "it has none" : "its attributes are \(known.joined(separator: ", "))")))
            }
            do {
                attributes[attribute.name] = try read(
                    attribute, label, proto.opType, names, &graph, outer, depth: depth)
            } catch {
                problems.add(error)
            }
        }
        if let entry, proto.output.count > entry.outputs.upperBound {
            problems.add(
                problem(
                    .unsupported,
                    "\(proto.output.count) outputs; \(entry.name) has at most \(entry.outputs.upperBound) here"))
        }
        graph.add(
            PlannedNode(
                name: label, op: proto.opType, version: names.versions[""] ?? GraphModel.operatorSets.upperBound,
                entry: entry,
                attributes: attributes, inputs: inputs, inputNames: Array(proto.input),
                outputs: proto.output.map { $0.isEmpty ? nil : names.table[$0]?.slot },
                outputNames: Array(proto.output),
                number: nodeCount))
    }
}
