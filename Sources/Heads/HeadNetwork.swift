package import Checkpoints
import Encoders
package import Foundation
package import Graphs
import Layers
package import TensorCore
package import Training

/// A head's network: features → `[rows, outputs]`. The built-in kinds read one vector a row; a graph may read token states, and
/// several inputs.
package struct HeadNetwork: Network {
    private enum Body {
        case linear(Linear)
        case mlp(Linear, Linear, dropout: Double)
        case graph(GraphNetwork)
        case states(GraphHead)
        case tagger(TaggerHead)
    }

    private let body: Body
    /// The layers of a built-in kind that is only asked, packed once; GELU between them.
    private var packed: [FrozenLinear] = []
    package let parameters: [Parameter]
    package let outputs: Int

    /// One of the built-in kinds.
    package init(_ kind: HeadKind, width: Int, outputs: Int, in scope: ParameterScope) {
        switch kind {
        case .linear: body = .linear(Linear(width, outputs, in: scope.scope("output")))
        case .mlp(let hidden, let dropout):
            body = .mlp(
                Linear(width, hidden, in: scope.scope("hidden")), Linear(hidden, outputs, in: scope.scope("output")),
                dropout: dropout)
        case .tagger(let hidden, let dropout):
            body = .tagger(TaggerHead(width: width, hidden: hidden, dropout: dropout, tags: outputs, in: scope))
        case .graph, .fusion: preconditionFailure("a graph is built from its model, not from a scope")
        }
        parameters = scope.parameters
        self.outputs = outputs
    }

    /// A graph with the float32 output `[rows, outputs]` first.
    ///
    /// - Parameter inputs: what each of its inputs reads, those of masks and lengths aside.
    /// - Throws: `HeadError.invalidSettings` when the graph cannot be used, or does not fit these features or labels.
    package init(graph model: GraphModel, inputs: [HeadFeatures], outputs: Int, seed: UInt64) throws {
        if inputs.count == 1, inputs[0].form == .pooled {
            try self.init(graph: model, width: inputs[0].width, outputs: outputs, seed: seed)
            return
        }
        do {
            let ports = HeadPorts(model.check().inputs)
            let assigned = try ports.assign(inputs.map(\.name))
            let named = zip(inputs, assigned).map { input, port in
                var named = input
                named.name = port.name
                return named
            }
            var head = GraphHead(try GraphNetwork(model, seed: seed), ports, named)
            try head.check(outputs: outputs)
            self.init(head, outputs: outputs)
        } catch let error as GraphError {
            throw HeadError(
                .invalidSettings,
                "The graph cannot be a head: \(error.description). `hidra graph check` says more.", cause: error)
        }
    }

    private init(_ head: GraphHead, outputs: Int) {
        body = .states(head)
        parameters = head.network.parameters
        self.outputs = outputs
    }

    /// A graph with one float32 input `[rows, width]` and the float32 output `[rows, outputs]` first.
    ///
    /// - Throws: `HeadError.invalidSettings` when the graph cannot be used, or does not fit these features or labels.
    package init(graph model: GraphModel, width: Int, outputs: Int, seed: UInt64) throws {
        do {
            let network = try GraphNetwork(model, seed: seed)
            // What the declarations leave open shows in a pass; two, because a number of rows may be built in.
            for rows in [2, 3] {
                let probe = try network(Tensor(repeating: 0.1, [rows, width]), dropoutSeed: nil)
                guard probe.shape == [rows, outputs] else {
                    throw HeadError(
                        .invalidSettings,
                        "The graph makes \(probe.shape) of features [\(rows), \(width)]; the labels need [\(rows), \(outputs)]. Give its "
                            + "last layer \(outputs) outputs, and export it with a symbolic first dimension.")
                }
            }
            body = .graph(network)
            parameters = network.parameters
            self.outputs = outputs
        } catch let error as GraphError {
            throw HeadError(
                .invalidSettings,
                "The graph cannot be a head on features [rows, \(width)]: \(error.description). `hidra graph check` says more.",
                cause: error)
        }
    }

    package var buffers: [Tensor] {
        switch body {
        case .graph(let network): network.buffers
        case .states(let head): head.network.buffers
        case .linear, .mlp, .tagger: []
        }
    }

    /// What the user should know of how it runs.
    package var note: String? {
        if case .states(let head) = body { head.note } else { nil }
    }

    package var linearLayer: (weight: Parameter, bias: Parameter)? {
        if case .linear(let output) = body { (output.weight, output.bias) } else { nil }
    }

    /// Packs the weights, which do not change any more: a question then takes no longer than reading them.
    package mutating func pack() {
        switch body {
        case .linear(let output): packed = [Linear.frozen([output])]
        case .mlp(let hidden, let output, _): packed = [Linear.frozen([hidden]), Linear.frozen([output])]
        case .graph, .states, .tagger: break
        }
    }

    package func callAsFunction(_ x: Tensor, dropoutSeed: UInt64?) throws -> Tensor {
        if let last = packed.last {
            return PackedLinear(last)(packed.dropLast().reduce(x) { PackedLinear($1, activation: .gelu)($0) })
        }
        switch body {
        case .linear(let output): return output(x)
        case .mlp(let hidden, let output, let dropout):
            var inner = hidden.gelu(x)
            if dropout > 0, let dropoutSeed { inner = Dropout(rate: Float(dropout), seed: dropoutSeed)(inner) }
            return output(inner)
        case .graph(let network): return try network(x, dropoutSeed: dropoutSeed)
        case .states, .tagger: preconditionFailure("a head of several inputs, or of token states, got one tensor")
        }
    }

    package func callAsFunction(_ batch: FeatureBatch, dropoutSeed: UInt64?) throws -> Tensor {
        switch body {
        case .states(let head): return try head(batch, dropoutSeed: dropoutSeed)
        case .tagger(let head): return head(batch, dropoutSeed: dropoutSeed)
        case .linear, .mlp, .graph: break
        }
        return try self(batch.vectors(), dropoutSeed: dropoutSeed)
    }

    package func loss(_ outputs: Tensor, _ targets: Targets) -> Tensor? {
        guard case .tagger(let head) = body, case .tags(let tags) = targets else { return nil }
        return head.loss(outputs, tags)
    }

    /// The most likely labels of the words of rows of a table, of a tagger.
    package func tags(_ table: FeatureTable, rows: [Int]) throws -> [TagPath] {
        guard case .tagger(let head) = body else { preconditionFailure("only a tagger labels words") }
        return head.decode(try evaluate(table, rows: rows), lengths: table.batch(rows[...]).lengths(0))
    }

    package var parameterCount: Int { parameters.reduce(0) { $0 + $1.value.count } }

    /// The network with its present weights as an ONNX model.
    package func onnx() throws -> Data {
        switch body {
        case .linear(let output):
            return try GraphModel(GraphWriter.linear(weight: output.weight.value, bias: output.bias.value)).serialized()
        case .mlp(let hidden, let output, let dropout):
            return try GraphModel(
                GraphWriter.mlp(
                    hidden: (hidden.weight.value, hidden.bias.value), output: (output.weight.value, output.bias.value),
                    dropout: dropout)
            ).serialized()
        case .graph(let network): return try network.export()
        case .states(let head): return try head.network.export()
        case .tagger(let head): return try head.onnx()
        }
    }
}

extension HeadNetwork {
    /// A network to be trained, its weights from `seed`.
    ///
    /// - Parameter graph: the model of kind `graph`.
    package init(_ kind: HeadKind, graph: Data? = nil, inputs: [HeadFeatures], outputs: Int, seed: UInt64) throws {
        if case .fusion(let fusion, let hidden, let dropout) = kind {
            let parts = inputs.map { FusionGraph.Input(name: $0.name, width: $0.width, isSequence: $0.form == .states) }
            let model = FusionGraph.model(fusion, parts, hidden: hidden, dropout: dropout, outputs: outputs)
            try self.init(graph: model, inputs: inputs, outputs: outputs, seed: seed)
            return
        }
        guard kind == .graph else {
            precondition(inputs.count == 1, "a built-in kind reads one vector, not \(inputs.count)")
            self.init(kind, width: inputs[0].width, outputs: outputs, in: ParameterScope(initialisedFrom: seed))
            return
        }
        guard let graph else { throw HeadError(.invalidSettings, "A head of kind \"graph\" needs its ONNX model.") }
        do {
            try self.init(graph: GraphModel(data: graph), inputs: inputs, outputs: outputs, seed: seed)
        } catch let error as GraphError {
            throw HeadError(.invalidSettings, "The graph cannot be read: \(error.description)", cause: error)
        }
    }
}
