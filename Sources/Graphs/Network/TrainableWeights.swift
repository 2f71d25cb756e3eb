/// Which initialisers a head trains: float32 with at least one axis, used by some node as data and not only as a setting (a bound, a
/// ratio, running statistics), and not listed as `hidra.frozen.NAME` in the model's `metadata_props`.
struct TrainableWeights {
    let names: Set<String>

    init(_ plan: GraphPlan, metadata: [String: String]) {
        var used: Set<ValueReference> = []
        Self.collect(plan, &used)
        names = Set(
            plan.constants.filter { constant in
                constant.type == .float32 && !constant.shape.isEmpty && metadata["hidra.frozen.\(constant.name)"] == nil
                    && used.contains(ValueReference(level: plan.level, slot: constant.slot))
            }.map(\.name))
    }

    /// Values used as data, in a graph and those inside of it.
    private static func collect(_ plan: GraphPlan, _ used: inout Set<ValueReference>) {
        for node in plan.nodes {
            for (index, reference) in node.inputs.enumerated() {
                if let reference, let input = node.entry?.input(index), !input.isSetting { used.insert(reference) }
            }
            for case .graph(let inner) in node.attributes.values { collect(inner, &used) }
        }
    }
}
