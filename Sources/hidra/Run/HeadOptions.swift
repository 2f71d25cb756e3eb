import ArgumentParser
import HidraProtocol

/// Shape and training of a head. What is not given is left at zero in the request: the daemon's default.
struct HeadOptions: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable, Sendable { case linear, mlp }

    @Option(name: .customLong("head"), help: "Kind of head.")
    var name: Kind = .linear

    @Option(help: ArgumentHelp("Width of the mlp's hidden layer (default: 512).", valueName: "n"))
    var hidden: UInt32?

    @Option(help: ArgumentHelp("Dropout of the mlp's hidden layer, 0 to below 1 (default: 0.3).", valueName: "p"))
    var dropout: Double?

    @Option(
        help: ArgumentHelp(
            "Layer of the encoder to read, 0 being the embeddings (default: the top).", valueName: "layer"))
    var tap: UInt32?

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

    func validate() throws {
        if name == .linear, hidden != nil || dropout != nil {
            throw ValidationError("--hidden and --dropout belong to --head mlp; a linear head has no hidden layer.")
        }
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

    var kind: Hidra_V1_HeadKind {
        var kind = Hidra_V1_HeadKind()
        kind.name = name.rawValue
        kind.hidden = hidden ?? 0
        if let dropout { kind.dropout = dropout }
        return kind
    }

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
