import Foundation
import ONNX

/// Turns a model into a plan: names into slots, functions into their nodes, and the nodes into an order in which each comes after
/// those it needs. Problems are collected, so that a check can list them all.
final class Planner {
    let model: GraphModel
    var problems = GraphProblems()
    /// Initialisers that are declared, not given: shape by name.
    let declared: [String: DeclaredInitialiser]
    private let functions: [String: FunctionProto]
    private var nodeCount = 0
    private var callDepth = 0
    /// Nodes of the plan by operator name, functions expanded.
    private(set) var operators: [String: Int] = [:]

    init(_ model: GraphModel) {
        self.model = model
        var functions: [String: FunctionProto] = [:]
        for function in model.proto.functions { functions[Self.key(function.domain, function.name)] = function }
        self.functions = functions
        do {
            declared = try DeclaredInitialiser.all(in: model)
        } catch {
            declared = [:]
            problems.add(error)
        }
    }

    /// What `body` makes; when it throws, that is a problem.
    private func collect<T>(_ body: () throws(GraphError) -> T) -> T? {
        do { return try body() } catch {
            problems.add(error)
            return nil
        }
    }

    private static func key(_ domain: String, _ name: String) -> String {
        (domain == "ai.onnx" ? "" : domain) + "\u{0}" + name
    }

    /// The plan of the whole model.
    func plan() -> GraphPlan {
        let versions = operatorSets(model.proto.opsetImport, of: "the model")
        if model.proto.irVersion < 3 || model.proto.irVersion > 14 {
            problems.add(
                GraphError(.unsupported, "IR version \(model.proto.irVersion); export the model with IR version 3 to 14"))
        }
        let names = Names(level: 0, outer: nil, versions: versions)
        var graph = GraphUnderway(level: 0)
        return plan(model.proto.graph, names, &graph, depth: 0)
    }

    private func operatorSets(_ imports: [OperatorSetIdProto], of owner: String) -> [String: Int] {
        var versions: [String: Int] = [:]
        for entry in imports { versions[entry.domain == "ai.onnx" ? "" : entry.domain] = Int(entry.version) }
        if let version = versions[""], !GraphModel.operatorSets.contains(version) {
            problems.add(
                GraphError(
                    .unsupported,
                    "\(owner) imports operator set \(version); Hidra knows \(GraphModel.operatorSets.lowerBound) to "
                        + "\(GraphModel.operatorSets.upperBound): convert it with onnx.version_converter"))
        }
        if versions.isEmpty {
            problems.add(GraphError(.malformed, "\(owner) imports no operator set; set opset_import"))
        }
        return versions
    }

    // MARK: Graphs

    /// Plans a graph or subgraph. Names it does not define are looked for in `names.outer`.
    private func plan(_ proto: GraphProto, _ names: Names, _ graph: inout GraphUnderway, depth: Int) -> GraphPlan {
        for sparse in proto.sparseInitializer {
            problems.add(
                GraphError(.unsupported, "initialiser \"\(sparse.values.name)\" is sparse; store it as a dense tensor"))
        }
        let constants = planConstants(proto, names, &graph)
        let inputs = planInputs(proto, names, &graph, constants)
        plan(proto.node, names, &graph, attributes: graph.attributes, depth: depth)
        var outputs: [PlannedOutput] = []
        var seen: Set<String> = []
        for info in proto.output {
            if !seen.insert(info.name).inserted {
                problems.add(GraphError(.duplicateName, "two outputs are named \"\(info.name)\""))
            }
            guard let reference = names[info.name] else {
                problems.add(GraphError(.unknownName, "no node makes the output \"\(info.name)\""))
                continue
            }
            graph.note(reference, names.level)
            let declared = collect { () throws(GraphError) in try Self.declared(info) }
            outputs.append(
                PlannedOutput(
                    name: info.name, reference: reference, type: declared?.type, shape: declared?.shape))
        }
        if proto.output.isEmpty { problems.add(GraphError(.malformed, "graph \"\(proto.name)\" has no output")) }
        return GraphPlan(
            level: names.level, inputs: inputs, constants: constants, nodes: graph.nodes, outputs: outputs, slots: graph.slots,
            releases: graph.releases(keeping: outputs.map(\.reference) , constants: Set(constants.map(\.slot))))
    }

    private func planConstants(_ proto: GraphProto, _ names: Names, _ graph: inout GraphUnderway) -> [PlannedConstant] {
        var constants: [PlannedConstant] = []
        for (index, tensor) in proto.initializer.enumerated() {
            guard let header = collect({ () throws(GraphError) in try GraphValue.header(tensor, limits: model.limits) }) else {
                names.table[tensor.name] = names.table[tensor.name] ?? graph.reference()
                continue
            }
            guard define(tensor.name, names, &graph, as: "initialiser"), let reference = names.table[tensor.name] else { continue }
            let value = names.level == 0 ? nil : collect { () throws(GraphError) in try GraphValue(tensor, limits: model.limits) }
            constants.append(
                PlannedConstant(
                    name: tensor.name, slot: reference.slot, type: header.0, shape: header.1, index: index,
                    value: value.map(ConstantValue.init)))
        }
        guard names.level == 0 else { return constants }
        for (name, initialiser) in declared.sorted(by: { $0.key < $1.key }) {
            guard define(name, names, &graph, as: "declared initialiser"), let reference = names.table[name] else { continue }
            constants.append(
                PlannedConstant(
                    name: name, slot: reference.slot, type: .float32, shape: initialiser.shape, index: nil, value: nil))
        }
        return constants
    }

    private func planInputs(
        _ proto: GraphProto, _ names: Names, _ graph: inout GraphUnderway, _ constants: [PlannedConstant]
    ) -> [PlannedInput] {
        var inputs: [PlannedInput] = []
        let given = Dictionary(constants.map { ($0.name, $0.slot) }, uniquingKeysWith: { first, _ in first })
        var seen: Set<String> = []
        for info in proto.input {
            if !seen.insert(info.name).inserted {
                problems.add(GraphError(.duplicateName, "two inputs are named \"\(info.name)\""))
                continue
            }
            let declaration = collect { () throws(GraphError) in try Self.declared(info) }
            if names.level == 0, declared[info.name] != nil { continue }
            if let slot = given[info.name] {
                inputs.append(
                    PlannedInput(
                        name: info.name, slot: slot, type: declaration?.type, shape: declaration?.shape, hasDefault: true))
                continue
            }
            guard define(info.name, names, &graph, as: "input"), let reference = names.table[info.name] else { continue }
            inputs.append(
                PlannedInput(
                    name: info.name, slot: reference.slot, type: declaration?.type, shape: declaration?.shape, hasDefault: false))
        }
        return inputs
    }

    /// Gives `name` a slot; false, with a problem, when it has one already.
    private func define(_ name: String, _ names: Names, _ graph: inout GraphUnderway, as what: String) -> Bool {
        guard !name.isEmpty else {
            problems.add(GraphError(.malformed, "an \(what) has no name"))
            return false
        }
        guard names.table[name] == nil else {
            problems.add(GraphError(.duplicateName, "the \(what) \"\(name)\" has the name of another value"))
            return false
        }
        names.table[name] = graph.reference()
        return true
    }

    /// Element type and shape a value is declared with.
    static func declared(_ info: ValueInfoProto) throws(GraphError) -> (type: ElementType?, shape: [GraphDimension]?) {
        guard info.hasType, let value = info.type.value else { return (nil, nil) }
        guard case .tensorType(let tensor) = value else {
            throw GraphError(.unsupported, "\"\(info.name)\" is a sequence or an optional value; graphs here use tensors only")
        }
        guard let type = ElementType(code: Int(tensor.elemType)) else {
            throw GraphError(
                .unsupported, "\"\(info.name)\" is of type \(ElementType.name(code: Int(tensor.elemType))), which is not supported")
        }
        guard tensor.hasShape else { return (type, nil) }
        guard tensor.shape.dim.count <= 64 else { throw GraphError(.tooLarge, "\"\(info.name)\" has \(tensor.shape.dim.count) axes") }
        var shape: [GraphDimension] = []
        for dimension in tensor.shape.dim {
            switch dimension.value {
            case .dimValue(let extent):
                guard extent >= 0 else {
                    throw GraphError(.badValue, "\"\(info.name)\" has the negative extent \(extent); name it to leave it open")
                }
                shape.append(.fixed(Int(extent)))
            case .dimParam(let name): shape.append(.symbol(name))
            case nil: shape.append(.symbol(""))
            }
        }
        return (type, shape)
    }

    // MARK: Nodes

    /// Plans a list of nodes: of a graph, or of a function's body with the attributes it was called with.
    private func plan(
        _ protos: [NodeProto], _ names: Names, _ graph: inout GraphUnderway, attributes: [String: AttributeProto]?, depth: Int
    ) {
        for proto in protos {
            for output in proto.output where !output.isEmpty {
                guard names.table[output] == nil else {
                    problems.add(
                        GraphError(
                            .duplicateName, "output \"\(output)\" has the name of another value; every value needs its own",
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

    private func planNode(
        _ proto: NodeProto, _ names: Names, _ graph: inout GraphUnderway, attributes outer: [String: AttributeProto]?, depth: Int
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
                    problem(.unsupported, "\(proto.opType) is supported from operator set \(found.since) on; the model imports \(version)"))
            }
            entry = found
        } else {
            problems.add(
                problem(
                    .unsupported,
                    "the operator is not supported; the nearest supported one is \(OperatorTable.nearest(to: proto.opType))"))
            entry = nil
        }
        operators[proto.opType, default: 0] += 1
        let level = names.level
        for reference in inputs { if let reference { graph.note(reference, level) } }
        var attributes: [String: Attribute] = [:]
        for attribute in bound {
            do {
                attributes[attribute.name] = try read(attribute, label, proto.opType, names, &graph, outer, depth: depth)
            } catch {
                problems.add(error)
            }
        }
        if let entry, proto.output.count > entry.outputs.upperBound {
            problems.add(
                problem(.unsupported, "\(proto.output.count) outputs; \(entry.name) has at most \(entry.outputs.upperBound) here"))
        }
        graph.add(
            PlannedNode(
                name: label, op: proto.opType, version: names.versions[""] ?? GraphModel.operatorSets.upperBound, entry: entry,
                attributes: attributes, inputs: inputs, inputNames: Array(proto.input),
                outputs: proto.output.map { $0.isEmpty ? nil : names.table[$0]?.slot }, outputNames: Array(proto.output),
                number: nodeCount))
    }

    /// Attributes with those that refer to the enclosing function's replaced by what it was called with.
    private func bind(
        _ attributes: [AttributeProto], _ outer: [String: AttributeProto]?, _ node: String, _ op: String
    ) -> [AttributeProto] {
        attributes.compactMap { attribute in
            guard !attribute.refAttrName.isEmpty else { return attribute }
            guard let outer else {
                problems.add(
                    GraphError(
                        .malformed, "attribute \(attribute.name) refers to a function's attribute outside of a function", node: node, op: op))
                return nil
            }
            // Left out at the call and without a default: left out here as well.
            guard var value = outer[attribute.refAttrName] else { return nil }
            value.name = attribute.name
            return value
        }
    }

    private func read(
        _ attribute: AttributeProto, _ node: String, _ op: String, _ names: Names, _ graph: inout GraphUnderway,
        _ outer: [String: AttributeProto]?, depth: Int
    ) throws(GraphError) -> Attribute {
        func refused(_ what: String) -> GraphError {
            GraphError(.unsupported, "attribute \(attribute.name) is \(what), which is not supported", node: node, op: op)
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

    // MARK: Functions

    /// The nodes of a function in place of the node that calls it.
    private func expand(
        _ function: FunctionProto, _ inputs: [ValueReference?], _ call: NodeProto, _ label: String, _ attributes: [AttributeProto],
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
                    name: label, op: "Identity", version: GraphModel.operatorSets.upperBound, entry: OperatorTable.byName["Identity"],
                    attributes: [:], inputs: [made], inputNames: [formal], outputs: [names.table[actual]?.slot], outputNames: [actual],
                    number: nodeCount))
        }
    }
}
