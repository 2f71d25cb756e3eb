import ONNX

/// Which initialisers a head trains: float32 with at least one axis, used by some node as data and not only as a setting (a bound, a
/// ratio, running statistics). The model's `metadata_props` have the last word: `hidra.frozen.NAME` and `hidra.trainable.NAME`.
///
/// Constants that an exporter computed are no weights. It names them by numbers (`val_12`, `onnx::Add_34`) and may note what they
/// were computed from; transposed weights and the stacked weights of recurrent layers look the same, and are told apart by that note or
/// by the operator that uses them.
struct TrainableWeights {
    let names: Set<String>

    /// A use of a value by a node as data.
    private struct Use {
        let op: String
        let input: Int
        /// The module the node's name points to.
        let scope: String
    }

    private static let kindKey = "pkg.torch.export.graph_signature.InputSpec.kind"
    private static let sourcesKey = "pkg.onnxscript.optimizer.folded_from"
    /// Inputs that hold weights, for operators that do.
    private static let weightInputs: [String: Set<Int>] = [
        "MatMul": [0, 1], "Gemm": [0, 1, 2], "Conv": [1, 2], "ConvTranspose": [1, 2], "LSTM": [1, 2, 3, 7],
        "GRU": [1, 2, 3],
        "RNN": [1, 2, 3], "PRelu": [1],
    ]
    private static let recurrent: Set<String> = ["LSTM", "GRU", "RNN"]

    init(_ plan: GraphPlan, model: GraphModel) {
        var uses: [ValueReference: [Use]] = [:]
        Self.collect(plan, &uses)
        let metadata = model.metadata
        let normalised = Set(
            plan.nodes.filter { $0.op == "InstanceNormalization" }.map { ExportedWeights.pathScope($0.name) })
        var notes: [String: [String: String]] = [:]
        for info in model.proto.graph.valueInfo where !info.metadataProps.isEmpty {
            notes[info.name] = Dictionary(
                info.metadataProps.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        }
        names = Set(
            plan.constants.filter { constant in
                guard constant.type == .float32, metadata["hidra.frozen.\(constant.name)"] == nil else { return false }
                if metadata["hidra.trainable.\(constant.name)"] != nil || constant.index == nil { return true }
                guard !constant.shape.isEmpty, let uses = uses[ValueReference(level: plan.level, slot: constant.slot)]
                else { return false }
                return Self.isWeight(constant.name, uses, notes[constant.name] ?? [:], normalised)
            }.map(\.name))
    }

    /// - Parameter normalised: modules with an instance normalisation, which group normalisation is exported as, with its scale and
    ///   shift behind it.
    private static func isWeight(
        _ name: String, _ uses: [Use], _ notes: [String: String], _ normalised: Set<String>
    ) -> Bool {
        if let kind = notes[kindKey] { return kind == "PARAMETER" }
        let asWeight = uses.contains { use in
            weightInputs[use.op]?.contains(use.input) ?? false
                || (["Mul", "Add"].contains(use.op) && !use.scope.isEmpty && normalised.contains(use.scope))
        }
        guard let text = notes[sourcesKey] else { return !isGenerated(name) || asWeight }
        let sources = text.split(separator: "'", omittingEmptySubsequences: false).enumerated().filter {
            $0.offset % 2 == 1
        }
        .map { String($0.element) }
        let named = sources.filter { !isGenerated($0) }
        if uses.contains(where: { recurrent.contains($0.op) }) {
            return asWeight && named.contains { $0.contains("weight") || $0.contains("bias") }
        }
        return (sources.count == 1 && named.count == 1)
            || named.contains { $0.hasSuffix("weight") || $0.hasSuffix("bias") }
    }

    /// Names that exporters make up: `val_12`, `onnx::MatMul_34`.
    static func isGenerated(_ name: String) -> Bool {
        guard let end = name.split(separator: "_").last, Int(end) != nil else { return false }
        let leaf = name.split(separator: ".").last ?? ""
        return name.hasPrefix("onnx::") || leaf.hasPrefix("val_")
    }

    /// Values used as data, in a graph and those inside of it.
    private static func collect(_ plan: GraphPlan, _ uses: inout [ValueReference: [Use]]) {
        for node in plan.nodes {
            for (index, reference) in node.inputs.enumerated() {
                if let reference, let input = node.entry?.input(index), !input.isSetting {
                    uses[reference, default: []].append(
                        Use(op: node.op, input: index, scope: ExportedWeights.pathScope(node.name)))
                }
            }
            for case .graph(let inner) in node.attributes.values { collect(inner, &uses) }
        }
    }
}
