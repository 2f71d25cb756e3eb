import ONNX
import TensorCore

/// A checked graph, ready to run any number of times.
package final class GraphProgram {
    package let model: GraphModel
    let plan: GraphPlan
    /// Decoded initialisers by slot; a network replaces the trainable ones by its parameters.
    var constants: [Int: GraphValue] = [:]

    /// - Parameter seed: of weights that are declared and not given.
    /// - Throws: `GraphError`: the first thing that keeps the graph from running.
    package init(_ model: GraphModel, seed: UInt64 = 0) throws {
        self.model = model
        let planner = Planner(model)
        plan = planner.plan()
        if let problem = planner.problems.all.first { throw problem }
        for constant in plan.constants {
            constants[constant.slot] = try Self.value(of: constant, planner, seed: seed)
        }
    }

    private static func value(of constant: PlannedConstant, _ planner: Planner, seed: UInt64) throws -> GraphValue {
        if let index = constant.index {
            return try GraphValue(planner.model.proto.graph.initializer[index], limits: planner.model.limits)
        }
        guard let declared = planner.declared[constant.name] else {
            throw GraphError(.unknownName, "\"\(constant.name)\" has no weights and no initialiser")
        }
        return GraphValue(declared.values(name: constant.name, seed: seed))
    }

    /// Names of the inputs a run needs.
    package var inputNames: [String] { plan.inputs.filter { !$0.hasDefault }.map(\.name) }
    package var outputNames: [String] { plan.outputs.map(\.name) }

    /// Runs the graph.
    ///
    /// - Returns: the outputs in the graph's order.
    /// - Throws: `GraphError` naming the node, when an input is missing or does not fit, or a bound is passed.
    package func run(inputs: [String: GraphValue]) throws -> [(name: String, value: GraphValue)] {
        try execute(inputs: inputs, GraphRun(limits: model.limits))
    }

    func execute(inputs: [String: GraphValue], _ run: GraphRun) throws -> [(name: String, value: GraphValue)] {
        try InputCheck(plan: plan).check(inputs)
        let scope = Scope(plan, parent: nil)
        for (slot, value) in constants { scope.values[slot] = value }
        for input in plan.inputs { if let value = inputs[input.name] { scope.values[input.slot] = value } }
        try run.execute(plan, scope)
        return try plan.outputs.map { output in
            guard let value = scope[output.reference] else {
                throw GraphError(.unknownName, "the output \"\(output.name)\" has no value")
            }
            return (output.name, value)
        }
    }
}

/// Checks given inputs against declared ones.
struct InputCheck {
    let plan: GraphPlan

    func check(_ inputs: [String: GraphValue]) throws(GraphError) {
        let known = Set(plan.inputs.map(\.name))
        if let stranger = inputs.keys.sorted().first(where: { !known.contains($0) }) {
            throw GraphError(
                .unknownName,
                "the graph has no input \"\(stranger)\"; its inputs are \(known.sorted().joined(separator: ", "))")
        }
        var symbols: [String: (extent: Int, input: String)] = [:]
        for input in plan.inputs {
            guard let value = inputs[input.name] else {
                if input.hasDefault { continue }
                throw GraphError(.unknownName, "input \"\(input.name)\" is missing")
            }
            if let type = input.type, type != value.type {
                throw GraphError(
                    .typeMismatch,
                    "input \"\(input.name)\" is \(value.type.rawValue); the graph declares \(type.rawValue)")
            }
            guard let shape = input.shape else { continue }
            let declared = "[" + shape.map(\.description).joined(separator: ", ") + "]"
            guard shape.count == value.rank else {
                throw GraphError(
                    .shapeMismatch,
                    "input \"\(input.name)\" has shape \(text(value.shape)); the graph declares \(declared)")
            }
            for (dimension, extent) in zip(shape, value.shape) {
                switch dimension {
                case .fixed(let fixed):
                    guard fixed == extent else {
                        throw GraphError(
                            .shapeMismatch,
                            "input \"\(input.name)\" has shape \(text(value.shape)); the graph declares \(declared)")
                    }
                case .symbol(""): break
                case .symbol(let name):
                    if let other = symbols[name], other.extent != extent {
                        throw GraphError(
                            .shapeMismatch,
                            "\(name) is \(extent) in input \"\(input.name)\" and \(other.extent) in input \"\(other.input)\""
                        )
                    }
                    symbols[name] = (extent, input.name)
                }
            }
        }
    }
}
