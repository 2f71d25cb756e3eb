import ONNX

/// Undoes what PyTorch's exporters do to weights for the sake of smaller files, so that an exported head trains as the module would.
///
/// The exporters keep one copy of initialisers that are equal, as the layers of a fresh transformer or all zero biases are, and leave
/// out biases of zero. For inference that is the same; trained, layers would be tied together and biases missing. What the exporters
/// note beside it says what was what: `Identity` nodes carry the names of the merged parameters (TorchScript exporter), and each
/// node's `pkg.torch.onnx.name_scopes` the module it belongs to (dynamo exporter). A module called twice keeps its one set of weights.
struct ExportedWeights {
    private(set) var model: ModelProto
    private var initializers: [String: Int] = [:]
    private var names: Set<String> = []

    private static let scopesKey = "pkg.torch.onnx.name_scopes"
    private static let ruleKey = "pkg.onnxscript.rewriter.rule_name"

    init(_ model: ModelProto) {
        self.model = model
        for (index, tensor) in model.graph.initializer.enumerated() { initializers[tensor.name] = index }
        names = Set(initializers.keys).union(model.graph.input.map(\.name)).union(model.graph.node.flatMap(\.output))
        separateNamedCopies()
        separateStatistics()
        separateModules()
        restoreBiases()
    }

    private func isWeight(_ name: String) -> Bool {
        guard let index = initializers[name] else { return false }
        let tensor = model.graph.initializer[index]
        return tensor.dataType == Int32(ElementType.float32.code) && !tensor.dims.isEmpty
    }

    /// A second initialiser with the elements of the first, and what is known of it.
    private mutating func copy(_ name: String, as new: String) {
        guard let index = initializers[name] else { return }
        var tensor = model.graph.initializer[index]
        tensor.name = new
        initializers[new] = model.graph.initializer.count
        names.insert(new)
        model.graph.initializer.append(tensor)
        if var info = model.graph.valueInfo.first(where: { $0.name == name }) {
            info.name = new
            model.graph.valueInfo.append(info)
        }
    }

    // MARK: TorchScript exporter

    /// `Identity` of a weight under another parameter's name: a weight of its own.
    private mutating func separateNamedCopies() {
        var consumers: [String: Set<String>] = [:]
        for node in model.graph.node where node.opType != "Identity" {
            for input in node.input { consumers[input, default: []].insert(Self.pathScope(node.name)) }
        }
        var kept: [NodeProto] = []
        for node in model.graph.node {
            guard node.opType == "Identity", node.domain.isEmpty, node.input.count == 1, node.output.count == 1,
                isWeight(node.input[0]),
                !model.graph.output.contains(where: { $0.name == node.output[0] })
            else {
                kept.append(node)
                continue
            }
            let (name, original) = (node.output[0], node.input[0])
            // Folded weights have made-up names: then it counts whether other modules use them.
            if TrainableWeights.isGenerated(name), !(consumers[name] ?? []).isDisjoint(with: consumers[original] ?? [])
            {
                kept.append(node)
                continue
            }
            copy(original, as: name)
        }
        model.graph.node = kept
    }

    /// `/encoder/layers.0/linear1/MatMul` → `/encoder/layers.0/linear1`; the second call of a module, `/p_1`, is `/p`.
    static func pathScope(_ node: String) -> String {
        node.split(separator: "/").dropLast().map { part in
            let words = part.split(separator: "_")
            guard words.count > 1, let last = words.last, Int(last) != nil else { return String(part) }
            return words.dropLast().joined(separator: "_")
        }.joined(separator: "/")
    }

    // MARK: Dynamo exporter

    /// Running statistics begin as zeros and ones, as biases and scales do: never one tensor with a weight.
    private mutating func separateStatistics() {
        var uses: [String: Int] = [:]
        for node in model.graph.node { for input in node.input { uses[input, default: 0] += 1 } }
        for index in model.graph.node.indices
        where model.graph.node[index].opType == "BatchNormalization" && model.graph.node[index].input.count == 5 {
            for position in 3...4 {
                let name = model.graph.node[index].input[position]
                guard isWeight(name), uses[name, default: 0] > 1 else { continue }
                let new = fresh("\(name).\(position == 3 ? "running_mean" : "running_var")")
                copy(name, as: new)
                model.graph.node[index].input[position] = new
            }
        }
    }

    /// The name, or one like it that nothing has yet.
    private mutating func fresh(_ name: String) -> String {
        var new = name
        while names.contains(new) { new += "_" }
        names.insert(new)
        return new
    }

    /// The module a node belongs to: the last but one of its scopes; nil when nothing is noted.
    private static func module(_ node: NodeProto) -> String? {
        guard let text = node.metadataProps.first(where: { $0.key == scopesKey })?.value else { return nil }
        let scopes = text.split(separator: "'", omittingEmptySubsequences: false).enumerated().filter {
            $0.offset % 2 == 1
        }
        .map { String($0.element) }
        return scopes.count >= 2 ? scopes[scopes.count - 2] : nil
    }

    /// A weight that several modules use: each its own.
    private mutating func separateModules() {
        var users: [String: [String]] = [:]
        for node in model.graph.node {
            guard let module = Self.module(node) else { continue }
            for input in Set(node.input) where isWeight(input) && users[input]?.contains(module) != true {
                users[input, default: []].append(module)
            }
        }
        var renamed: [String: [String: String]] = [:]
        for (name, modules) in users.sorted(by: { $0.key < $1.key }) where modules.count > 1 {
            let owner = modules.first { !$0.isEmpty && name.hasPrefix($0 + ".") } ?? modules[0]
            let leaf = name.hasPrefix(owner + ".") ? String(name.dropFirst(owner.count + 1)) : name
            for module in modules where module != owner {
                let new = fresh(module.isEmpty ? leaf : "\(module).\(leaf)")
                copy(name, as: new)
                renamed[module, default: [:]][name] = new
            }
        }
        for index in model.graph.node.indices {
            guard let module = Self.module(model.graph.node[index]), let own = renamed[module] else { continue }
            model.graph.node[index].input = model.graph.node[index].input.map { own[$0] ?? $0 }
        }
    }

    /// A bias that was left out because it was zero.
    private mutating func restoreBiases() {
        for index in model.graph.node.indices {
            let node = model.graph.node[index]
            guard node.input.count == 2, let rule = node.metadataProps.first(where: { $0.key == Self.ruleKey })?.value,
                rule.contains("RemoveOptionalBias"), isWeight(node.input[1]), let position = initializers[node.input[1]]
            else { continue }
            let dims = model.graph.initializer[position].dims
            func attribute(_ name: String, _ standard: Int64) -> Int64 {
                node.attribute.first { $0.name == name }?.i ?? standard
            }
            let width: Int64
            switch (node.opType, dims.count) {
            case ("Gemm", 2): width = attribute("transB", 0) != 0 ? dims[0] : dims[1]
            case ("Conv", 3...): width = dims[0]
            case ("ConvTranspose", 3...):
                let (product, overflow) = dims[1].multipliedReportingOverflow(by: attribute("group", 1))
                if overflow { continue }
                width = product
            default: continue
            }
            guard width > 0, width < 1 << 24 else { continue }
            let weight = node.input[1]
            var name = weight.hasSuffix(".weight") ? String(weight.dropLast(6)) + "bias" : "\(weight).bias"
            while names.contains(name) { name += "_" }
            var bias = TensorProto()
            bias.name = name
            bias.dataType = Int32(ElementType.float32.code)
            bias.dims = [width]
            bias.floatData = [Float](repeating: 0, count: Int(width))
            names.insert(name)
            initializers[name] = model.graph.initializer.count
            model.graph.initializer.append(bias)
            model.graph.node[index].input.append(name)
        }
    }
}
