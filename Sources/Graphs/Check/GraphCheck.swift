import ONNX

extension GraphModel {
    /// What the graph holds, what it takes, and what would be refused. Nothing is computed: every operator works out types and
    /// shapes from absent elements, once for each symbolic extent, and formulas of the symbols are read off the results.
    ///
    /// - Parameters:
    ///   - batch: extent of symbolic first axes for the memory estimate.
    ///   - sizes: extents of other symbols, by name; 32 where none is given.
    package func check(batch: Int = 1, sizes: [String: Int] = [:]) -> GraphReport {
        GraphModel(ExportedWeights(proto).model, limits: limits).report(batch: batch, sizes: sizes)
    }

    private func report(batch: Int, sizes: [String: Int]) -> GraphReport {
        let planner = Planner(self)
        let plan = planner.plan()
        var problems = planner.problems
        var report = GraphReport(
            irVersion: Int(proto.irVersion),
            operatorSets: Dictionary(
                proto.opsetImport.map { ($0.domain == "ai.onnx" ? "" : $0.domain, Int($0.version)) },
                uniquingKeysWith: { a, _ in a }),
            producer: [proto.producerName, proto.producerVersion].filter { !$0.isEmpty }.joined(separator: " "),
            nodes: planner.operators.values.reduce(0, +))
        report.operators = planner.operators.sorted { $0.key < $1.key }.map { name, count in
            let entry = OperatorTable.byName[name]
            return GraphReport.OperatorUse(
                name: name, count: count, isSupported: entry != nil, hasGradient: entry?.gradient == .yes)
        }
        let trainable = TrainableWeights(plan, model: self).names
        report.weights = plan.constants.map {
            GraphReport.Weight(
                name: $0.name, type: $0.type, shape: $0.shape, isTrainable: trainable.contains($0.name),
                isDeclared: $0.index == nil)
        }
        report.inputs = plan.inputs.filter { !$0.hasDefault }.map { input in
            GraphReport.Port(name: input.name, type: input.type, shape: input.shape?.map(\.description))
        }
        if let dry = ShapeInference(plan: plan, model: self) {
            let inferred = dry.run()
            for problem in inferred.problems.all { problems.add(problem) }
            report.outputs = inferred.outputs
            report.pinned = inferred.pinned
            let estimate = dry.estimate(batch: batch, sizes: inferred.pinned.merging(sizes) { _, given in given })
            report.sizes = estimate.sizes
            report.activationBytes = estimate.activations
            report.peakBytes = estimate.peak
            if inferred.problems.all.isEmpty { for problem in estimate.problems.all { problems.add(problem) } }
        } else {
            problems.add(
                GraphError(
                    .badValue,
                    "an input has no declared type or number of axes; declare them to have the shapes checked"))
            report.outputs = plan.outputs.map {
                GraphReport.Port(name: $0.name, type: $0.type, shape: $0.shape?.map(\.description))
            }
        }
        report.problems = problems.all.map {
            GraphReport.Problem(code: $0.code, node: $0.op == nil ? nil : $0.node, op: $0.op, message: $0.message)
        }
        return report
    }
}
