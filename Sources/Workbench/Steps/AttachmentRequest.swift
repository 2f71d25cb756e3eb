package import Foundation
package import Encoders
package import Heads
import State
package import Training

/// A head that a client wants to train step by step.
package struct AttachmentRequest: Sendable {
    package var head: String
    package var task: HeadTask
    package var kind: HeadKind
    /// The ONNX model of kind `graph`.
    package var graph: Data?
    package var inputs: [InputRequest]
    /// Columns that the inputs read, each once.
    package var columns: [String]
    package var labels: [String]
    package var optimiser: OptimiserChoice
    package var objective: Objective
    package var seed: UInt64
    package var replace: Bool
    package var precision: Precision?
    /// Optimiser steps between two states on disk.
    package var checkpointSteps: Int
    /// Whose it is: the name of a key, or empty for this machine's own user.
    package var account: String

    package init(
        head: String, task: HeadTask, kind: HeadKind, graph: Data?, inputs: [InputRequest], columns: [String], labels: [String],
        optimiser: OptimiserChoice, objective: Objective, seed: UInt64, replace: Bool, precision: Precision?, checkpointSteps: Int,
        account: String = ""
    ) {
        self.head = head
        self.task = task
        self.kind = kind
        self.graph = graph
        self.inputs = inputs
        self.columns = columns
        self.labels = labels
        self.optimiser = optimiser
        self.objective = objective
        self.seed = seed
        self.replace = replace
        self.precision = precision
        self.checkpointSteps = checkpointSteps
        self.account = account
    }

    private static let mostLabels = 50_000

    /// - Throws: `invalidArgument` naming the value and what it may be.
    func validate() throws {
        func require(_ holds: Bool, _ message: String) throws {
            if !holds { throw WorkbenchError(.invalidArgument, message) }
        }
        if task == .regress {
            try require(labels.isEmpty, "A head of numbers has no labels; leave them out.")
        } else {
            let least = task == .classify ? 2 : 1
            try require(
                (least...Self.mostLabels).contains(labels.count),
                "\(labels.count) labels are given; a head of this task needs \(least) to \(Self.mostLabels).")
            try require(Set(labels).count == labels.count && !labels.contains(""), "Each label needs a name of its own.")
        }
        if task == .tag, let label = labels.first(where: { $0.contains(where: \.isWhitespace) }) {
            try require(false, "The label \"\(label)\" has white space in it, which separates the labels of words.")
        }
        try kind.require(fits: task)
        let rate = optimiser.learningRate
        try require(rate.isFinite && rate > 0 && rate <= 10, "The learning rate is \(rate); it must be above 0 and at most 10.")
        for (name, value, most) in [
            ("weight decay", optimiser.weightDecay, 10.0), ("momentum", optimiser.momentum, 1.0), ("beta1", optimiser.beta1 ?? 0, 1.0),
            ("beta2", optimiser.beta2 ?? 0, 1.0), ("label smoothing", Double(objective.smoothing), 1.0),
        ] {
            try require(value >= 0 && value <= most && (most > 1 || value < 1), "The \(name) is \(value); it must be 0 to below \(most).")
        }
        if let norm = optimiser.clipNorm {
            try require(norm.isFinite && norm > 0, "The gradients' largest norm is \(norm); it must be above 0.")
        }
        if let weights = objective.classWeights {
            try require(
                weights.count == labels.count && weights.allSatisfy { $0.isFinite && $0 >= 0 },
                "There must be one class weight for each of the \(labels.count) labels, none below 0; there are \(weights.count).")
        }
        try require((1...1_000_000).contains(checkpointSteps), "checkpoint_steps is \(checkpointSteps); it must be 1 to 1000000.")
    }

    /// The same as a request to train on no rows: what it reads is bound in the same way.
    var training: TrainingRequest {
        TrainingRequest(
            head: head, encoder: inputs.first?.encoder ?? "", task: task, kind: kind, graph: graph,
            rows: LabelledRows(columns: [[EncoderInput]](repeating: [], count: max(columns.count, 1)), labels: []), inputs: inputs,
            replace: replace, precision: precision)
    }
}

/// What of an attachment lies on disk beside its state: enough to go on with it after the daemon has died.
struct AttachmentDescription: Codable, Sendable {
    var format = 1
    var head: String
    var task: HeadTask
    var kind: HeadKind
    var labels: [String]
    var inputs: [HeadInput]
    var precision: Precision?
    var optimiser: OptimiserChoice
    var classWeights: [Float]?
    var smoothing: Float
    var difference: Objective.Difference
    var seed: UInt64
    var replace: Bool
    var checkpointSteps: Int
    var account: String

    var encoding: LabelEncoding { LabelEncoding(task: task, labels: labels) }
    var objective: Objective { Objective(classWeights: classWeights, smoothing: smoothing, difference: difference) }
    /// Names of the columns it reads, in the order in which its inputs name them first.
    var columns: [String] { inputs.reduce(into: []) { if !$0.contains($1.column) { $0.append($1.column) } } }
}

extension AttachmentDescription {
    init(_ request: AttachmentRequest, _ sources: [FeatureSource]) {
        self.init(
            head: request.head, task: request.task, kind: request.kind, labels: request.labels, inputs: sources.map(\.input),
            precision: request.precision, optimiser: request.optimiser, classWeights: request.objective.classWeights,
            smoothing: request.objective.smoothing, difference: request.objective.difference, seed: request.seed,
            replace: request.replace, checkpointSteps: request.checkpointSteps, account: request.account)
    }
}
