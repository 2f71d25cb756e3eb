import TensorCore

extension GraphProgram {
    /// A result inside the graph, as one run gave it.
    package struct Result: Sendable {
        package let name: String
        package let type: ElementType
        package let shape: [Int]
    }

    /// Type and shape of every node's results in a run, in the order they were computed.
    package func trace(inputs: [String: GraphValue]) throws -> [Result] {
        var results: [Result] = []
        let run = GraphRun(limits: model.limits)
        run.observe = { node, outputs in
            for (name, value) in zip(node.outputNames, outputs) where !name.isEmpty {
                if let value { results.append(Result(name: name, type: value.type, shape: value.shape)) }
            }
        }
        _ = try execute(inputs: inputs, run)
        return results
    }

    /// Results by their names, outputs or not. Nodes after the one that gives the last of them are not run.
    ///
    /// - Throws: `GraphError`, also for a name that no node gives.
    package func values(_ names: Set<String>, inputs: [String: GraphValue]) throws -> [String: GraphValue] {
        try InputCheck(plan: plan).check(inputs)
        guard let last = plan.nodes.lastIndex(where: { !names.isDisjoint(with: $0.outputNames) }) else {
            throw GraphError(.unknownName, "no node gives \(names.sorted().joined(separator: ", "))")
        }
        let scope = Scope(plan, parent: nil), run = GraphRun(limits: model.limits)
        for (slot, value) in constants { scope.values[slot] = value }
        for input in plan.inputs { if let value = inputs[input.name] { scope.values[input.slot] = value } }
        var found: [String: GraphValue] = [:]
        run.observe = { node, outputs in
            for (name, value) in zip(node.outputNames, outputs) where names.contains(name) { found[name] = value }
        }
        try run.execute(plan, scope, through: last)
        if let missing = names.first(where: { found[$0] == nil }) {
            throw GraphError(.unknownName, "no node gives \"\(missing)\"")
        }
        return found
    }
}
