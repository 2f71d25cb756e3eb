public import Foundation
internal import HidraProtocol

/// A head to be trained: what it learns, what it is made of, and how.
public struct HeadSpecification: Sendable {
    public enum Task: Sendable {
        /// One label of several.
        case classify
        /// Any number of labels; in a cell they are separated by `separator`.
        case multilabel(separator: String)
        /// A number.
        case regress
        /// A label for each word of the text, separated by white space in the label's cell: "O O B-place I-place".
        case tag
    }

    public enum Kind: Sendable {
        case linear
        /// One hidden layer of that width.
        case mlp(hidden: Int, dropout: Double)
        /// Of the task `tag`: for each word as `mlp`, or as `linear` for a hidden width of 0; then a conditional random field.
        case tagger(hidden: Int, dropout: Double)
        /// A network of your own: an ONNX ModelProto with one output `[rows, labels]`, as `torch.onnx.export` writes it with a symbolic
        /// first dimension. Its inputs are float32 `[rows, width]`, a vector each, or `[rows, tokens, width]`, token states, with a mask
        /// or lengths beside them.
        case graph(Data)
    }

    /// What one input of a graph reads.
    public struct Input: Sendable {
        /// The graph's input; empty for all: they are the graph's, in its order.
        public var name: String
        public var column: String
        /// Nil: the one the head is attached to.
        public var encoder: String?
        /// Empty: the top.
        public var tap: String

        public init(name: String = "", column: String, encoder: String? = nil, tap: String = "") {
            self.name = name
            self.column = column
            self.encoder = encoder
            self.tap = tap
        }
    }

    /// Unset values leave the choice to the daemon.
    public struct Training: Sendable {
        public var epochs: Int?
        /// Nil: chosen by a range test.
        public var learningRate: Double?
        public var batchSize: Int?
        /// The same seed gives the same weights.
        public var seed: UInt64 = 0
        /// Epochs without a better validation score before training stops.
        public var patience: Int?
        /// Weigh classes by inverse frequency.
        public var classWeights = false

        public init() {}
    }

    /// The head's name in the registry.
    public var name: String
    public var labelColumn: String
    public var task: Task
    public var kind: Kind
    public var training: Training
    /// Name of the tap to read, "0" for a text encoder's token embeddings; empty: the top.
    public var tap: String
    /// What the inputs of a graph read; empty: one input, the data set's text column at `tap`.
    public var inputs: [Input]
    /// Replace a head of this name; otherwise an existing one is an error.
    public var replace: Bool

    public init(
        name: String, labelColumn: String, task: Task = .classify, kind: Kind = .linear,
        training: Training = Training(), tap: String = "", inputs: [Input] = [], replace: Bool = false
    ) {
        self.name = name
        self.labelColumn = labelColumn
        self.task = task
        self.kind = kind
        self.training = training
        self.tap = tap
        self.inputs = inputs
        self.replace = replace
    }

    func request(data: DataSet, encoder: String, test: DataSet?, holdout: Double) -> Hidra_V1_TrainRequest {
        var request = Hidra_V1_TrainRequest()
        request.head = name
        request.encoder = encoder
        request.data = data.name
        request.inputColumn = data.textColumn
        request.labelColumn = labelColumn
        request.testData = test?.name ?? ""
        request.holdout = holdout
        request.replace = replace
        request.tap = tap
        request.inputs = inputs.map { input in
            var message = Hidra_V1_HeadInput()
            message.name = input.name
            message.column = input.column
            message.encoder = input.encoder ?? ""
            message.tap = input.tap.isEmpty && input.encoder == nil ? tap : input.tap
            return message
        }
        switch task {
        case .classify: request.task = .classify
        case .multilabel(let separator):
            request.task = .multilabel
            request.labelSeparator = separator
        case .regress: request.task = .regress
        case .tag: request.task = .tag
        }
        switch kind {
        case .linear: request.kind.name = "linear"
        case .mlp(let hidden, let dropout):
            request.kind.name = "mlp"
            request.kind.hidden = UInt32(clamping: hidden)
            request.kind.dropout = dropout
        case .tagger(let hidden, let dropout):
            request.kind.name = "tagger"
            request.kind.hidden = UInt32(clamping: hidden)
            request.kind.dropout = dropout
        case .graph(let model):
            request.kind.name = "graph"
            request.kind.graph = model
        }
        request.hyperparameters.epochs = UInt32(clamping: training.epochs ?? 0)
        request.hyperparameters.learningRate = training.learningRate ?? 0
        request.hyperparameters.batchSize = UInt32(clamping: training.batchSize ?? 0)
        request.hyperparameters.seed = training.seed
        request.hyperparameters.patience = UInt32(clamping: training.patience ?? 0)
        request.hyperparameters.classWeights = training.classWeights
        return request
    }
}

/// Rows the daemon holds for this plugin, until they are discarded or the plugin closes.
public struct DataSet: Sendable, Equatable {
    /// The daemon's name for it.
    public let name: String
    public let columns: [String]
    public let textColumn: String
    public let rows: Int
}
