package import Encoders
package import Foundation
package import Heads
package import State
package import Training

/// Labelled inputs: a column of them, or several that a head reads together, each of one modality. `labels` holds the cells as they
/// stand in the table.
package struct LabelledRows: Sendable {
    package var columns: [[EncoderInput]]
    package var labels: [String]

    package init(columns: [[EncoderInput]], labels: [String]) {
        precondition(
            !columns.isEmpty && columns.allSatisfy { $0.count == labels.count },
            "\(columns.map(\.count)) inputs, \(labels.count) labels")
        self.columns = columns
        self.labels = labels
    }

    package init(inputs: [EncoderInput], labels: [String]) {
        self.init(columns: [inputs], labels: labels)
    }

    package init(texts: [String], labels: [String]) { self.init(inputs: texts.map { .text($0) }, labels: labels) }

    package var count: Int { labels.count }
    /// Of the first column.
    package var inputs: [EncoderInput] {
        get { columns[0] }
        set { columns[0] = newValue }
    }

    func selecting(_ rows: [Int]) -> LabelledRows {
        LabelledRows(
            columns: columns.map { column in rows.map { column[$0] } }, labels: rows.map { labels[$0] })
    }
}

/// What one input of a head is to read.
package struct InputRequest: Sendable {
    /// The graph's input; empty: the next in the graph's order.
    package var name: String
    package var encoder: String
    /// Empty: the top.
    package var tap: String
    /// nil: as the graph's input says.
    package var form: FeatureForm?
    /// Which of the rows' columns, and what the table calls it.
    package var column: Int
    package var columnName: String

    package init(
        name: String = "", encoder: String, tap: String = "", form: FeatureForm? = nil, column: Int = 0,
        columnName: String = ""
    ) {
        self.name = name
        self.encoder = encoder
        self.tap = tap
        self.form = form
        self.column = column
        self.columnName = columnName
    }
}

/// A head to be trained.
package struct TrainingRequest: Sendable {
    package var head: String
    package var encoder: String
    package var task: HeadTask
    package var kind: HeadKind
    /// The ONNX model of kind `graph`.
    package var graph: Data?
    package var settings: TrainingSettings
    package var rows: LabelledRows
    package var test: LabelledRows?
    /// Share of the rows kept for testing when there are no test rows.
    package var holdout: Double
    package var separator: Character
    /// Name of the tap to read; empty: the top.
    package var tap: String
    /// What the head's inputs read; empty: one input, the rows' first column through `encoder` at `tap`.
    package var inputs: [InputRequest]
    package var replace: Bool
    /// What the encoder computes in; nil: as it is set.
    package var precision: Precision?
    /// Configurations to try before training; nil: as the request says.
    package var search: Int?
    package var selfTraining: SelfTrainingRequest?
    package var contrastive: ContrastiveRequest?

    package init(
        head: String, encoder: String, task: HeadTask = .classify, kind: HeadKind = .linear, graph: Data? = nil,
        settings: TrainingSettings = TrainingSettings(), rows: LabelledRows, test: LabelledRows? = nil,
        holdout: Double = 0,
        separator: Character = "|", tap: String = "", inputs: [InputRequest] = [], replace: Bool = false,
        precision: Precision? = nil
    ) {
        self.head = head
        self.encoder = encoder
        self.task = task
        self.kind = kind
        self.graph = graph
        self.settings = settings
        self.rows = rows
        self.test = test
        self.holdout = holdout
        self.separator = separator
        self.tap = tap
        self.inputs = inputs
        self.replace = replace
        self.precision = precision
    }

    /// One for each input of the head.
    var reads: [InputRequest] { inputs.isEmpty ? [InputRequest(encoder: encoder, tap: tap)] : inputs }

    /// - Throws: `invalidArgument` naming the value and what it may be; `invalidData` for no rows.
    func validate() throws {
        func require(_ holds: Bool, _ message: String) throws {
            if !holds { throw WorkbenchError(.invalidArgument, message) }
        }
        guard rows.count > 0 else {
            throw WorkbenchError(.invalidData, "There are no rows to train on. Is the file empty?")
        }
        guard test.map({ $0.count > 0 }) ?? true else {
            throw WorkbenchError(.invalidData, "There are no rows to test on. Is the test file empty?")
        }
        try require(
            (0..<1).contains(holdout), "The hold-out share is \(holdout); it must be at least 0 and below 1, e.g. 0.2.")
        try require(test == nil || holdout == 0, "Give either test rows or a hold-out share, not both.")
        try require((1...10_000).contains(settings.epochs), "epochs is \(settings.epochs); it must be 1 to 10000.")
        try require(
            (1...65_536).contains(settings.batchSize), "The batch size is \(settings.batchSize); it must be 1 to 65536."
        )
        if let rate = settings.learningRate {
            try require(
                rate.isFinite && rate > 0 && rate <= 10,
                "The learning rate is \(rate); it must be above 0 and at most 10.")
        }
        try require(
            (0..<1).contains(settings.validation),
            "The validation share is \(settings.validation); it must be 0 to below 1.")
        try require((0...1).contains(settings.warmup), "The warm-up share is \(settings.warmup); it must be 0 to 1.")
        try require((0..<1).contains(settings.labelSmoothing), "Label smoothing is \(settings.labelSmoothing); it must be 0 to below 1.")
        try require((0...10).contains(settings.weightDecay), "The weight decay is \(settings.weightDecay); it must be 0 to 10.")
        for (name, limit) in [("norm", settings.clipNorm), ("value", settings.clipValue)] {
            guard let limit else { continue }
            try require(limit.isFinite && limit > 0, "The gradients' largest \(name) is \(limit); it must be above 0.")
        }
        try require((1...1024).contains(settings.accumulation), "Accumulation is \(settings.accumulation); it must be 1 to 1024.")
        if let decay = settings.averageDecay {
            try require((0..<1).contains(decay), "The decay of averaged weights is \(decay); it must be 0 to below 1.")
        }
        try require(settings.patience >= 1, "The patience is \(settings.patience); it must be at least 1.")
        try kind.require(fits: task)
        try validateSettings(require)
    }
}

extension HeadKind {
    /// - Throws: `invalidArgument` for a size out of range, or a task that heads of this kind do not do.
    func require(fits task: HeadTask) throws {
        func require(_ holds: Bool, _ message: String) throws {
            if !holds { throw WorkbenchError(.invalidArgument, message) }
        }
        if case .tagger = self {
            try require(task == .tag, "A head of kind tagger labels words: its task is \"tag\".")
        } else {
            try require(task != .tag, "Words are labelled by a head of kind tagger, not by one of kind \(name).")
        }
        switch self {
        case .linear, .graph: break
        case .mlp(let hidden, let dropout), .tagger(let hidden, let dropout), .fusion(_, let hidden, let dropout):
            // A tagger may have no hidden layer.
            let least = task == .tag ? 0 : 1
            try require(
                (least...Self.largestHidden).contains(hidden),
                "The hidden width is \(hidden); it must be \(least) to \(Self.largestHidden).")
            try require((0..<1).contains(dropout), "The dropout rate is \(dropout); it must be 0 to below 1.")
        }
    }
}

/// What came of a training run.
package struct TrainingOutcome: Sendable {
    package var head: HeadRecord
    package var run: RunRecord
    package var test: Report?
    package var summary: TrainingSummary
    package var choices = TrainingChoices()
    package var calibration: Calibration?
}

package struct TrainingSummary: Sendable {
    package var trainRows = 0, validationRows = 0, testRows = 0
    package var cacheHits = 0, cacheMisses = 0, truncatedRows = 0, truncatedTestRows = 0
    package var steps = 0
    package var stepsPerSecond = 0.0
    package var extractSeconds = 0.0, trainSeconds = 0.0, evaluateSeconds = 0.0, totalSeconds = 0.0
    package var learningRate = 0.0
    package var bestEpoch = 0
    package var validationScore = 0.0
    package var notes: [String] = []
}
