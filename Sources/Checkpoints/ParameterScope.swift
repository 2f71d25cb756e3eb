package import TensorCore

/// How a parameter begins when there is no checkpoint.
package enum Initialiser: Sendable, Equatable {
    case zeros
    case ones
    /// Uniform in ±√(1 / fan in): PyTorch's default for linear layers.
    case uniform(fanIn: Int)
}

/// A named value of a model. Values change in place while it is trained.
package final class Parameter {
    package let name: String
    package let value: Tensor
    package var isTrainable: Bool { value.isTracked }

    package init(name: String, value: Tensor) {
        self.name = name
        self.value = value
    }
}

/// Where a constructor finds its weights: a checkpoint or an initialiser, at a path. Layers read their own weights by the
/// checkpoint's names; the scope records each one, so that loading can say what was missing, left over or mis-shaped.
package struct ParameterScope {
    private let store: Store
    private let path: String

    /// Frozen weights of a checkpoint.
    package init(frozen checkpoint: Safetensors, renames: [Rename] = []) throws {
        store = Store(.checkpoint(checkpoint, try Rename.apply(renames, to: checkpoint.names)))
        path = ""
    }

    /// The same, with some tensors replaced by others, under the names that are asked for.
    package init(frozen checkpoint: Safetensors, renames: [Rename] = [], replacing tensors: [String: Tensor]) throws {
        store = Store(.checkpoint(checkpoint, try Rename.apply(renames, to: checkpoint.names)), replacing: tensors)
        path = ""
    }

    /// New, trainable weights. Each parameter's numbers depend on the seed and its own name only.
    package init(initialisedFrom seed: UInt64) {
        store = Store(.initialiser(seed))
        path = ""
    }

    /// Weights of a checkpoint of which those that `trains` names are private, trainable copies. What `adds` names may be absent;
    /// it is new then, and trainable.
    package init(
        fineTuning checkpoint: Safetensors, renames: [Rename] = [], seed: UInt64, trains: @escaping (String) -> Bool,
        adds: @escaping (String) -> Bool = { _ in false }
    ) throws {
        let names = try Rename.apply(renames, to: checkpoint.names)
        store = Store(.fineTuning(checkpoint, names, seed: seed, trains: trains, adds: adds))
        path = ""
    }

    private init(store: Store, path: String) {
        self.store = store
        self.path = path
    }

    package func scope(_ name: String) -> ParameterScope {
        ParameterScope(store: store, path: path.isEmpty ? name : "\(path).\(name)")
    }

    package func scope(_ name: String, _ index: Int) -> ParameterScope { scope(name).scope(String(index)) }

    /// The parameter `name` of this scope, of exactly this shape. Problems are collected; `finish()` throws them together.
    package func parameter(_ name: String, _ shape: Shape, initial: Initialiser) -> Parameter {
        store.parameter(scope(name).path, shape, initial)
    }

    package var parameters: [Parameter] { store.parameters }

    /// - Throws: `CheckpointError` listing what was missing, mis-shaped or left over, at most ten names of each.
    package func finish(ignoring ignored: (String) -> Bool = { _ in false }) throws {
        try store.finish(ignoring: ignored)
    }
}

private final class Store {
    enum Source {
        /// A checkpoint, and for each name asked for the name in the file.
        case checkpoint(Safetensors, [String: String])
        case initialiser(UInt64)
        case fineTuning(
            Safetensors, [String: String], seed: UInt64, trains: (String) -> Bool, adds: (String) -> Bool)
    }

    private let source: Source
    private(set) var parameters: [Parameter] = []
    private var used: Set<String> = []
    private var missing: [String] = []
    private var misshapen: [String] = []
    private var failures: [any Error] = []

    private let replacements: [String: Tensor]

    init(_ source: Source, replacing replacements: [String: Tensor] = [:]) {
        self.source = source
        self.replacements = replacements
    }

    func parameter(_ name: String, _ shape: Shape, _ initial: Initialiser) -> Parameter {
        precondition(!used.contains(name), "parameter \"\(name)\" is read twice")
        used.insert(name)
        let parameter = Parameter(name: name, value: value(name, shape, initial))
        parameters.append(parameter)
        return parameter
    }

    private func value(_ name: String, _ shape: Shape, _ initial: Initialiser) -> Tensor {
        if let replacement = replacements[name] {
            if replacement.shape == shape { return replacement }
            misshapen.append("\(name) is \(replacement.shape), expected \(shape)")
            return Tensor(repeating: 0, shape)
        }
        switch source {
        case .initialiser(let seed):
            return initialised(name, shape, initial, seed).tracked
        case .checkpoint(let checkpoint, let fileNames):
            return loaded(name, shape, checkpoint, fileNames)
        case .fineTuning(let checkpoint, let fileNames, let seed, let trains, let adds):
            if fileNames[name] == nil, adds(name) { return initialised(name, shape, initial, seed).tracked }
            let value = loaded(name, shape, checkpoint, fileNames)
            // A copy: the checkpoint's own memory is shared and read-only.
            return trains(name) || adds(name) ? Tensor(value.values, shape).tracked : value
        }
    }

    private func loaded(
        _ name: String, _ shape: Shape, _ checkpoint: Safetensors, _ fileNames: [String: String]
    ) -> Tensor {
        guard let fileName = fileNames[name], let entry = checkpoint.entries[fileName] else {
            missing.append(name)
            return Tensor(repeating: 0, shape)
        }
        guard entry.shape == shape.dimensions else {
            misshapen.append("\(name) is \(entry.shape), expected \(shape)")
            return Tensor(repeating: 0, shape)
        }
        do {
            return try checkpoint.tensor(fileName)
        } catch {
            failures.append(error)
            return Tensor(repeating: 0, shape)
        }
    }

    private func initialised(_ name: String, _ shape: Shape, _ initial: Initialiser, _ seed: UInt64) -> Tensor {
        switch initial {
        case .zeros: return Tensor(repeating: 0, shape)
        case .ones: return Tensor(repeating: 1, shape)
        case .uniform(let fanIn):
            let bound = (1 / Float(max(fanIn, 1))).squareRoot()
            var random = Random(seed: seed, stream: name)
            return Tensor((0..<shape.count).map { _ in (random.uniform() * 2 - 1) * bound }, shape)
        }
    }

    func finish(ignoring ignored: (String) -> Bool) throws {
        if let failure = failures.first { throw failure }
        let checkpoint: Safetensors, fileNames: [String: String]
        switch source {
        case .initialiser: return
        case .checkpoint(let file, let names), .fineTuning(let file, let names, _, _, _):
            (checkpoint, fileNames) = (file, names)
        }
        let unused = fileNames.keys.filter { !used.contains($0) && !ignored($0) }.sorted()
        var problems: [String] = []
        if !missing.isEmpty { problems.append("missing: \(listed(missing.sorted()))") }
        if !misshapen.isEmpty { problems.append("wrong shape: \(listed(misshapen.sorted()))") }
        if !unused.isEmpty { problems.append("not used: \(listed(unused))") }
        guard !problems.isEmpty else { return }
        let code: CheckpointError.Code = !misshapen.isEmpty ? .shapeMismatch : !missing.isEmpty ? .missingTensor : .unusedTensor
        throw CheckpointError(
            code, "does not fit its configuration; \(problems.joined(separator: "; "))", file: checkpoint.file)
    }

    private func listed(_ names: [String]) -> String {
        names.count <= 10
            ? names.joined(separator: ", ") : names.prefix(10).joined(separator: ", ") + " and \(names.count - 10) more"
    }
}
