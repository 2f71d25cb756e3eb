package import Encoders
package import Foundation
import TensorCore

/// What a client may do with an attached head.
package enum StepVerb: Sendable {
    /// `keeps`: as in training, for a backward pass; otherwise as in a prediction.
    case forward(keeps: Bool)
    case forwardBackward(scale: Double, wantsOutputs: Bool)
    /// `gradients` of `shape`, and a step at once at a rate (0: the attachment's) unless it is nil.
    case backward(gradients: [Float], shape: [Int], step: Double?)
    /// At a rate; 0: the attachment's.
    case step(learningRate: Double)
    case save
    /// A file with a state.
    case load(URL)

    /// Whether it carries a sequence number and is applied at most once.
    var changesSomething: Bool {
        switch self {
        case .forward(let keeps): keeps
        case .save: false
        case .forwardBackward, .backward, .step, .load: true
        }
    }
}

/// The rows of a verb.
package struct StepBatch: Sendable {
    /// A data set as it was at some time, whose features are kept while it is used.
    package struct Table: Sendable, Hashable {
        package var name: String
        /// Grows whenever rows are added or the data set is made anew.
        package var version: UInt64

        package init(name: String, version: UInt64) {
            self.name = name
            self.version = version
        }

        func replaces(_ other: Table) -> Bool { name == other.name }
    }

    /// nil: the rows are the batch's own.
    package var table: Table?
    /// Of the data set.
    package var rows: [Int]
    /// All rows of the data set, or the batch's own, by the head's columns.
    package var columns: [[EncoderInput]]
    /// Of the batch's rows; empty where no loss is asked for.
    package var labels: [String]

    package init(table: Table?, rows: [Int], columns: [[EncoderInput]], labels: [String]) {
        self.table = table
        self.rows = rows
        self.columns = columns
        self.labels = labels
    }
}

/// What came of a verb.
package struct StepAnswer: Sendable {
    package var sequence: UInt64 = 0
    package var steps = 0
    package var loss = 0.0
    package var gradientNorm = 0.0
    package var truncated = 0
    /// Row-major `[rows, width]`; nil where none were asked for.
    package var outputs: (values: [Float], rows: Int, width: Int)?
    /// Of outputs that have a row for each word: the words of each text.
    package var lengths: [Int]?
    /// Of `save`; and of a step, what is to be written before it is answered.
    package var state: Data?
    /// Whether the weights have changed, so that the state on disk is behind.
    var isStep = false

    mutating func setOutputs(_ tensor: Tensor, lengths: [Int]?) {
        outputs = (tensor.contiguous().values, tensor.shape[0], tensor.shape[1])
        self.lengths = lengths
    }
}
