import Foundation
import ONNX

/// Turns a model into a plan: names into slots, functions into their nodes, and the nodes into an order in which each comes after
/// those it needs. Problems are collected, so that a check can list them all.
final class Planner {
    let model: GraphModel
    var problems = GraphProblems()
    /// Initialisers that are declared, not given: shape by name.
    let declared: [String: DeclaredInitialiser]
    let functions: [String: FunctionProto]
    var nodeCount = 0
    var callDepth = 0
    /// Nodes of the plan by operator name, functions expanded.
    var operators: [String: Int] = [:]

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
    func collect<T>(_ body: () throws(GraphError) -> T) -> T? {
        do { return try body() } catch {
            problems.add(error)
            return nil
        }
    }

    static func key(_ domain: String, _ name: String) -> String {
        (domain == "ai.onnx" ? "" : domain) + "\u{0}" + name
    }

    /// The plan of the whole model.
    func plan() -> GraphPlan {
        let versions = operatorSets(model.proto.opsetImport, of: "the model")
        if model.proto.irVersion < 3 || model.proto.irVersion > 14 {
            problems.add(
                GraphError(
                    .unsupported, "IR version \(model.proto.irVersion); export the model with IR version 3 to 14"))
        }
        let names = Names(level: 0, outer: nil, versions: versions)
        var graph = GraphUnderway(level: 0)
        return plan(model.proto.graph, names, &graph, depth: 0)
    }

    func operatorSets(_ imports: [OperatorSetIdProto], of owner: String) -> [String: Int] {
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
    func plan(_ proto: GraphProto, _ names: Names, _ graph: inout GraphUnderway, depth: Int) -> GraphPlan {
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
            level: names.level, inputs: inputs, constants: constants, nodes: graph.nodes, outputs: outputs,
            slots: graph.slots,
            releases: graph.releases(keeping: outputs.map(\.reference), constants: Set(constants.map(\.slot))))
    }

    func planConstants(_ proto: GraphProto, _ names: Names, _ graph: inout GraphUnderway) -> [PlannedConstant] {
        var constants: [PlannedConstant] = []
        for (index, tensor) in proto.initializer.enumerated() {
            guard let header = collect({ () throws(GraphError) in try GraphValue.header(tensor, limits: model.limits) })
            else {
                names.table[tensor.name] = names.table[tensor.name] ?? graph.reference()
                continue
            }
            guard define(tensor.name, names, &graph, as: "initialiser"), let reference = names.table[tensor.name] else {
                continue
            }
            let value =
                names.level == 0
                ? nil : collect { () throws(GraphError) in try GraphValue(tensor, limits: model.limits) }
            constants.append(
                PlannedConstant(
                    name: tensor.name, slot: reference.slot, type: header.0, shape: header.1, index: index,
                    value: value.map(ConstantValue.init)))
        }
        guard names.level == 0 else { return constants }
        for (name, initialiser) in declared.sorted(by: { $0.key < $1.key }) {
            guard define(name, names, &graph, as: "declared initialiser"), let reference = names.table[name] else {
                continue
            }
            constants.append(
                PlannedConstant(
                    name: name, slot: reference.slot, type: .float32, shape: initialiser.shape, index: nil, value: nil))
        }
        return constants
    }

    func planInputs(
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
                        name: info.name, slot: slot, type: declaration?.type, shape: declaration?.shape,
                        hasDefault: true))
                continue
            }
            guard define(info.name, names, &graph, as: "input"), let reference = names.table[info.name] else {
                continue
            }
            inputs.append(
                PlannedInput(
                    name: info.name, slot: reference.slot, type: declaration?.type, shape: declaration?.shape,
                    hasDefault: false))
        }
        return inputs
    }

    /// Gives `name` a slot; false, with a problem, when it has one already.
    func define(_ name: String, _ names: Names, _ graph: inout GraphUnderway, as what: String) -> Bool {
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
            throw GraphError(
                .unsupported, "\"\(info.name)\" is a sequence or an optional value; graphs here use tensors only")
        }
        guard let type = ElementType(code: Int(tensor.elemType)) else {
            throw GraphError(
                .unsupported,
                "\"\(info.name)\" is of type \(ElementType.name(code: Int(tensor.elemType))), which is not supported")
        }
        guard tensor.hasShape else { return (type, nil) }
        guard tensor.shape.dim.count <= 64 else {
            throw GraphError(.tooLarge, "\"\(info.name)\" has \(tensor.shape.dim.count) axes")
        }
        var shape: [GraphDimension] = []
        for dimension in tensor.shape.dim {
            switch dimension.value {
            case .dimValue(let extent):
                guard extent >= 0 else {
                    throw GraphError(
                        .badValue, "\"\(info.name)\" has the negative extent \(extent); name it to leave it open")
                }
                shape.append(.fixed(Int(extent)))
            case .dimParam(let name): shape.append(.symbol(name))
            case nil: shape.append(.symbol(""))
            }
        }
        return (type, shape)
    }
}
