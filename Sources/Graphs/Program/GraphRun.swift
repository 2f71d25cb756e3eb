import TensorCore

/// Whether nodes that behave differently in training do so.
enum GraphMode: Equatable {
    /// As the graph says: a plain run.
    case asWritten
    /// A head in training; dropout draws from the seed.
    case training(seed: UInt64)
    /// A head that is not being trained: no dropout, running statistics, whatever the graph says.
    case evaluation
}

/// One run of a program: its bounds, what it has taken, and how it is done.
final class GraphRun {
    let limits: GraphLimits
    let mode: GraphMode
    /// Called with each node that cannot be checked; then the run goes on without its outputs. nil: the run stops.
    var onProblem: ((GraphError) -> Void)?
    /// Called with each node's outputs.
    var observe: ((PlannedNode, [GraphValue?]) -> Void)?
    /// Bytes of the values alive.
    private(set) var liveBytes = 0
    private var steps = 0
    /// New running statistics, by the name of the value they replace.
    var statistics: [String: Tensor] = [:]

    init(limits: GraphLimits, mode: GraphMode = .asWritten) {
        self.limits = limits
        self.mode = mode
    }

    /// Runs `plan` with its inputs and constants already in `scope`.
    ///
    /// - Parameter last: the last node to run; nil: all.
    func execute(_ plan: GraphPlan, _ scope: Scope, through last: Int? = nil) throws {
        for (index, node) in plan.nodes.enumerated().prefix((last ?? plan.nodes.count - 1) + 1) {
            let outputs = try results(of: node, scope)
            observe?(node, outputs)
            for (position, slot) in node.outputs.enumerated() {
                guard let slot else { continue }
                guard position < outputs.count, let value = outputs[position] else {
                    throw GraphError(
                        .unsupported, "output \(position) (\"\(node.outputNames[position])\") is not produced",
                        node: node.name,
                        op: node.op)
                }
                scope.values[slot] = value
                liveBytes += value.computeBytes
            }
            for slot in plan.releases[index] {
                liveBytes -= scope.values[slot]?.computeBytes ?? 0
                scope.values[slot] = nil
            }
        }
    }

    /// Counts a node carried out, or a turn of a loop.
    func countStep(_ node: PlannedNode) throws {
        steps += 1
        guard steps <= limits.steps else {
            throw GraphError(
                .tooLarge, "more than \(limits.steps) steps; bound its loops", node: node.name, op: node.op)
        }
    }

    /// Counts values that a node keeps while graphs inside of it run.
    func hold(_ value: GraphValue, for node: PlannedNode) throws {
        liveBytes += value.computeBytes
        guard liveBytes <= limits.liveBytes else {
            throw GraphError(
                .tooLarge, "its values take more than \(limits.liveBytes >> 20) MiB", node: node.name, op: node.op)
        }
    }

    /// Runs `body`; what it counted as alive is no longer so afterwards.
    func releasing<T>(_ body: () throws -> T) rethrows -> T {
        let before = liveBytes
        defer { liveBytes = before }
        return try body()
    }

    private func results(of node: PlannedNode, _ scope: Scope) throws -> [GraphValue?] {
        let inputs = try node.inputs.enumerated().map { index, reference -> GraphValue? in
            guard let reference else { return nil }
            guard let value = scope[reference] else {
                throw GraphError(
                    .unknownName, "input \"\(node.inputNames[index])\" has no value", node: node.name, op: node.op)
            }
            return value
        }
        func unknown() -> [GraphValue?] {
            let type = inputs.lazy.compactMap(\.self).first?.type ?? .float32
            return node.outputs.map { _ in .shapeless(type) }
        }
        guard let entry = node.entry else { return unknown() }
        if inputs.contains(where: { $0?.isShapeless ?? false }) { return unknown() }
        try countStep(node)
        do {
            return try apply(entry, Call(node: node, inputs: inputs, run: self, scope: scope))
        } catch let error as GraphError {
            guard let onProblem else { throw error }
            if error.code != .dependsOnData { onProblem(error) }
            return unknown()
        } catch let error as TensorError {
            throw GraphError(.unsupported, error.message, node: node.name, op: node.op)
        }
    }

    private func apply(_ entry: Operator, _ call: Call) throws -> [GraphValue?] {
        try entry.validate(call)
        guard entry.widens,
            let narrow = call.inputs.lazy.compactMap({ $0?.type }).first(where: { $0 == .float16 || $0 == .bfloat16 })
        else { return try entry.body(call) }
        let inputs = call.inputs.map { value -> GraphValue? in
            guard let value, value.type == narrow else { return value }
            return GraphValue(.float64, value.shape, value.content)
        }
        return try entry.body(Call(node: call.node, inputs: inputs, run: self, scope: call.scope)).map { value in
            guard let value, value.type == .float64 else { return value }
            guard case .real(let values) = value.content else { return GraphValue(narrow, value.shape, value.content) }
            return GraphValue(narrow, value.shape, .real(narrow.narrowed(values)))
        }
    }
}
