import ONNX

/// Runs a plan on values without elements.
struct ShapeInference {
    private let plan: GraphPlan
    private let model: GraphModel
    /// Symbols of the inputs in order of appearance, those of first axes marked.
    private let symbols: [(name: String, isFirst: Bool)]
    private let constants: [Int: GraphValue]

    /// Constants up to this many elements keep them: they may be shapes and indices.
    private static let keptElements = 4096

    /// nil when an input's type or number of axes is not declared.
    init?(plan: GraphPlan, model: GraphModel) {
        self.plan = plan
        self.model = model
        var symbols: [(name: String, isFirst: Bool)] = []
        for input in plan.inputs where !input.hasDefault {
            guard input.type != nil, let shape = input.shape else { return nil }
            for axis in shape.indices {
                guard let name = Self.symbol(input, axis), !symbols.contains(where: { $0.name == name }) else {
                    continue
                }
                symbols.append((name, axis == 0))
            }
        }
        self.symbols = symbols
        var constants: [Int: GraphValue] = [:]
        for constant in plan.constants {
            constants[constant.slot] = .absent(constant.type, constant.shape)
            guard let index = constant.index, constant.shape.reduce(1, *) <= Self.keptElements else { continue }
            do {
                constants[constant.slot] = try GraphValue(model.proto.graph.initializer[index], limits: model.limits)
            } catch {
                // Damaged elements are found when the program is made; the shapes can be checked all the same.
                continue
            }
        }
        self.constants = constants
    }

    /// The name of an open extent; one without a name is called after its place.
    private static func symbol(_ input: PlannedInput, _ axis: Int) -> String? {
        guard case .symbol(let name)? = input.shape?[axis] else { return nil }
        return name.isEmpty ? "\(input.name)[\(axis)]" : name
    }

    private struct Pass {
        var outputs: [(type: ElementType, shape: [Int]?)] = []
        var problems = GraphProblems()
        var activations = 0
        var peak = 0
    }

    private func pass(_ sizes: [String: Int], unbounded: Bool = false) -> Pass {
        var limits = model.limits
        if unbounded { limits.liveBytes = 1 << 50 }
        let run = GraphRun(limits: limits), scope = Scope(plan, parent: nil)
        var pass = Pass()
        for (slot, value) in constants { scope.values[slot] = value }
        for input in plan.inputs where !input.hasDefault {
            let shape = (input.shape ?? []).indices.map { axis -> Int in
                if let name = Self.symbol(input, axis) { return sizes[name] ?? 1 }
                if case .fixed(let extent)? = input.shape?[axis] { return extent }
                return 1
            }
            do throws(GraphError) {
                guard try checkedCount(shape) <= limits.tensorElements else {
                    throw GraphError(.tooLarge, "input \"\(input.name)\" of shape \(text(shape)) has too many elements")
                }
            } catch { pass.problems.add(error) }
            if !pass.problems.all.isEmpty { return pass }
            scope.values[input.slot] = .absent(input.type ?? .float32, shape)
        }
        run.onProblem = { pass.problems.add($0) }
        run.observe = { _, outputs in
            for case let value? in outputs where !value.isShapeless { pass.activations += value.computeBytes }
            pass.peak = max(pass.peak, run.liveBytes)
        }
        do { try run.execute(plan, scope) } catch let error as GraphError { pass.problems.add(error) } catch {
            pass.problems.add(GraphError(.malformed, "\(error)"))
        }
        for output in plan.outputs {
            guard let value = scope[output.reference] else {
                pass.outputs.append((output.type ?? .float32, nil))
                continue
            }
            pass.outputs.append((value.type, value.isShapeless ? nil : value.shape))
            if let declared = output.type, declared != value.type, !value.isShapeless {
                pass.problems.add(
                    GraphError(
                        .typeMismatch,
                        "output \"\(output.name)\" is declared \(declared.rawValue), and the graph makes \(value.type.rawValue)"
                    ))
            }
        }
        return pass
    }

    /// Output shapes as formulas of the symbols, and the problems met.
    func run() -> (outputs: [GraphReport.Port], problems: GraphProblems, pinned: [String: Int]) {
        // A network may need more of a dimension than the smallest sizes offer; its own complaint stands when none will do.
        let attempts = [[2, 3, 5, 7, 11, 13], [32, 48, 40, 56, 64, 72], [224, 224, 224, 224, 224, 224]]
        var best: (sizes: [String: Int], pass: Pass)?
        for attempt in attempts {
            var sizes: [String: Int] = [:]
            for (index, symbol) in symbols.enumerated() {
                sizes[symbol.name] = attempt[index % attempt.count] + index / attempt.count
            }
            let pass = pass(sizes)
            if best.map({ pass.problems.all.count < $0.pass.problems.all.count }) ?? true { best = (sizes, pass) }
            if pass.problems.all.isEmpty || symbols.isEmpty { break }
        }
        guard var best else { return ([], GraphProblems(), [:]) }
        if !best.pass.problems.all.isEmpty, let found = search(from: best.sizes) { best = found }
        // One more pass for each symbol, with that one larger.
        var moved: [(String, Int, [[Int]?])] = [], pinned: [String: Int] = [:]
        for symbol in symbols.prefix(16) {
            var sizes = best.sizes
            let step = max(sizes[symbol.name] ?? 1, 8)
            sizes[symbol.name, default: 1] += step
            let pass = pass(sizes)
            if best.pass.problems.all.isEmpty, !pass.problems.all.isEmpty {
                pinned[symbol.name] = best.sizes[symbol.name]
            } else {
                moved.append((symbol.name, step, pass.outputs.map(\.shape)))
            }
        }
        let ports = plan.outputs.indices.map { index -> GraphReport.Port in
            let output = best.pass.outputs[safe: index]
            let shape = output?.shape.map { shape in
                shape.indices.map { axis in
                    formula(
                        shape[axis], best.sizes,
                        moved.map { ($0.0, $0.1, $0.2[safe: index]??[safe: axis]) })
                }
            }
            return GraphReport.Port(name: plan.outputs[index].name, type: output?.type, shape: shape)
        }
        return (ports, best.pass.problems, pinned)
    }

    /// Sizes without problems, looked for among the integers the graph holds: one symbol at a time, the others as they were.
    private func search(from sizes: [String: Int]) -> (sizes: [String: Int], pass: Pass)? {
        var candidates: Set<Int> = [1]
        func add(_ value: GraphValue) {
            guard case .signed(let values) = value.content, values.count <= 16 else { return }
            for value in values where value > 1 && value <= 4096 { candidates.insert(Int(value)) }
        }
        constants.values.forEach(add)
        for node in plan.nodes {
            for attribute in node.attributes.values {
                switch attribute {
                case .tensor(let constant): add(constant.value)
                case .int(let value) where value > 1 && value <= 4096: candidates.insert(Int(value))
                default: continue
                }
            }
        }
        for symbol in symbols.reversed() {
            for candidate in candidates.sorted().prefix(64) {
                var tried = sizes
                tried[symbol.name] = candidate
                let pass = pass(tried)
                if pass.problems.all.isEmpty { return (tried, pass) }
            }
        }
        return nil
    }

    /// The extent as a number, a symbol, `2·symbol + 1`, a product of two symbols, or `?`.
    private func formula(_ base: Int, _ sizes: [String: Int], _ moved: [(symbol: String, step: Int, extent: Int?)])
        -> String
    {
        let changing = moved.filter { $0.extent != base }
        if changing.isEmpty { return String(base) }
        var slopes: [(String, Int)] = []
        for (symbol, step, extent) in changing {
            guard let extent, (extent - base) % step == 0 else { return "?" }
            slopes.append((symbol, (extent - base) / step))
        }
        let rest = base - slopes.reduce(0) { $0 + $1.1 * (sizes[$1.0] ?? 0) }
        if slopes.count == 2, let a = sizes[slopes[0].0], let b = sizes[slopes[1].0], slopes[0].1 % b == 0,
            slopes[1].1 == slopes[0].1 / b * a,
            base == slopes[0].1 * a
        {
            let factor = slopes[0].1 / b
            return (factor == 1 ? "" : "\(factor)·") + "\(slopes[0].0)·\(slopes[1].0)"
        }
        let terms = slopes.map { $0.1 == 1 ? $0.0 : "\($0.1)·\($0.0)" }.joined(separator: " + ")
        return rest == 0 ? terms : rest > 0 ? "\(terms) + \(rest)" : "\(terms) - \(-rest)"
    }

    /// Memory with given extents.
    func estimate(
        batch: Int, sizes given: [String: Int]
    ) -> (sizes: [String: Int], activations: Int, peak: Int, problems: GraphProblems) {
        var sizes: [String: Int] = [:]
        for symbol in symbols { sizes[symbol.name] = given[symbol.name] ?? (symbol.isFirst ? max(batch, 1) : 32) }
        let pass = pass(sizes, unbounded: true)
        return (sizes, pass.activations, pass.peak, pass.problems)
    }
}
