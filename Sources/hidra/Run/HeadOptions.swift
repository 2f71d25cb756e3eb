import ArgumentParser
import HidraProtocol

/// Shape and training of a head. What is not given is left at zero in the request: the daemon's default.
struct HeadOptions: ParsableArguments {
    @Option(
        name: .customLong("head"),
        help: ArgumentHelp(
            "Kind of head: linear, mlp, or an ONNX graph with one output [rows, labels]; see above for its inputs.",
            valueName: "linear|mlp|FILE.onnx"))
    var network: HeadNetworkOption = .linear

    @Option(help: ArgumentHelp("Width of the mlp's hidden layer (default: 512).", valueName: "n"))
    var hidden: UInt32?

    @Option(help: ArgumentHelp("Dropout of the mlp's hidden layer, or of what a tagger reads; 0 to below 1 (default: 0.3).", valueName: "p"))
    var dropout: Double?

    @Option(
        help: ArgumentHelp(
            "Tap of the encoder to read: a layer's number, 0 being the embeddings, or a name that `hidra show ENCODER` lists "
                + "(default: the top).", valueName: "tap"))
    var tap: String = ""

    @Option(help: ArgumentHelp("Passes over the training rows (default: 30).", valueName: "n"))
    var epochs: UInt32?

    @Option(
        help: ArgumentHelp("Learning rate; \"auto\" finds one by a range test (default: auto).", valueName: "x|auto"))
    var lr: LearningRate = .auto

    @Option(help: ArgumentHelp("Rows in a step (default: 64).", valueName: "n"))
    var batchSize: UInt32?

    @Option(help: ArgumentHelp("Seed of everything random (default: 0).", valueName: "n"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Weight decay (default: 0.0001).", valueName: "x"))
    var weightDecay: Double?

    @Option(
        help: ArgumentHelp(
            "Stop after this many epochs without a better validation score (default: 10).", valueName: "n"))
    var patience: UInt32?

    @Option(help: ArgumentHelp("Share of each label given to all others, 0 to below 1 (default: 0.1).", valueName: "x"))
    var labelSmoothing: Double?

    @Flag(help: "Weigh classes by how rare they are.")
    var classWeights = false

    /// What depends on the task, and on whether encoders are joined, which has a hidden layer too.
    func validate(for task: TaskKind, isFusion: Bool = false) throws {
        if network != .mlp, !isFusion, hidden != nil || (dropout != nil && task != .tag) {
            throw ValidationError(
                "--hidden and --dropout belong to --head mlp, the only kind that has one hidden layer.")
        }
    }

    func validate() throws {
        try positive(hidden, "--hidden")
        try positive(epochs, "--epochs")
        try positive(batchSize, "--batch-size")
        try positive(patience, "--patience")
        try share(dropout, "--dropout")
        try share(labelSmoothing, "--label-smoothing")
        if let weightDecay, !(weightDecay >= 0 && weightDecay.isFinite) {
            throw ValidationError("--weight-decay must be a number, at least 0; it was \(weightDecay).")
        }
    }

    /// Reads the graph, when there is one.
    func kind(_ task: TaskKind) throws -> Hidra_V1_HeadKind {
        var kind = Hidra_V1_HeadKind()
        if task == .tag {
            if case .graph = network {
                throw ValidationError("--task tag labels words with a head of its own: --head is linear or mlp.")
            }
            kind.name = "tagger"
            kind.hidden = network == .mlp ? hidden ?? Self.defaultHidden : 0
            if let dropout { kind.dropout = dropout }
            return kind
        }
        switch network {
        case .linear: kind.name = "linear"
        case .mlp: kind.name = "mlp"
        case .graph(let path):
            kind.name = "graph"
            kind.graph = try GraphFile.read(path)
        }
        kind.hidden = hidden ?? 0
        if let dropout { kind.dropout = dropout }
        return kind
    }

    private static let defaultHidden: UInt32 = 512

    var hyperparameters: Hidra_V1_Hyperparameters {
        var values = Hidra_V1_Hyperparameters()
        values.epochs = epochs ?? 0
        if case .fixed(let rate) = lr { values.learningRate = rate }
        values.batchSize = batchSize ?? 0
        if let seed { values.seed = seed }
        if let weightDecay { values.weightDecay = weightDecay }
        values.patience = patience ?? 0
        if let labelSmoothing { values.labelSmoothing = labelSmoothing }
        values.classWeights = classWeights
        return values
    }

    /// Zero would mean "default" in the request; asking for it by hand is a mistake.
    private func positive(_ value: UInt32?, _ option: String) throws {
        if value == 0 { throw ValidationError("\(option) must be 1 or more.") }
    }

    private func share(_ value: Double?, _ option: String) throws {
        if let value, !(value >= 0 && value < 1) {
            throw ValidationError("\(option) is a share from 0 to below 1; it was \(value).")
        }
    }
}

/// The value of `--head`.
enum HeadNetworkOption: ExpressibleByArgument, Sendable, Equatable, CustomStringConvertible {
    case linear, mlp
    case graph(path: String)

    init?(argument: String) {
        switch argument {
        case "linear": self = .linear
        case "mlp": self = .mlp
        default:
            guard argument.hasSuffix(".onnx") else { return nil }
            self = .graph(path: argument)
        }
    }

    var description: String {
        switch self {
        case .linear: "linear"
        case .mlp: "mlp"
        case .graph(let path): path
        }
    }
}

/// The value of `--lr`.
enum LearningRate: ExpressibleByArgument, Sendable, Equatable, CustomStringConvertible {
    case auto
    case fixed(Double)

    init?(argument: String) {
        if argument.lowercased() == "auto" {
            self = .auto
        } else if let value = Double(argument), value > 0, value.isFinite {
            self = .fixed(value)
        } else {
            return nil
        }
    }

    var description: String {
        switch self {
        case .auto: "auto"
        case .fixed(let value): "\(value)"
        }
    }
}
