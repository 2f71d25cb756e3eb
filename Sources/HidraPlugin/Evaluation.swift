internal import HidraProtocol

/// How well a head does on labelled rows.
public struct Evaluation: Sendable {
    public struct ClassReport: Sendable {
        public let label: String
        public let precision: Double
        public let recall: Double
        public let f1: Double
        /// Rows of this class.
        public let support: Int
    }

    public struct Confusion: Sendable {
        public let actual: String
        public let predicted: String
        public let count: Int
    }

    public let head: String
    public let rows: Int
    /// Classification: "accuracy", "macro_f1". Multilabel: "micro_f1", "macro_f1", "subset_accuracy". Regression: "mae",
    /// "rmse", "r2".
    public let metrics: [String: Double]
    public let classes: [ClassReport]
    /// Most frequent first.
    public let confusions: [Confusion]
    /// Texts longer than the encoder takes.
    public let truncatedRows: Int
    public let notes: [String]
    public let seconds: Double

    init(_ reply: Hidra_V1_EvaluateReply) {
        head = reply.head
        rows = Int(clamping: reply.rows)
        metrics = reply.metrics
        classes = reply.classes.map {
            ClassReport(
                label: $0.label, precision: $0.precision, recall: $0.recall, f1: $0.f1,
                support: Int(clamping: $0.support))
        }
        confusions = reply.confusions.map {
            Confusion(actual: $0.actual, predicted: $0.predicted, count: Int(clamping: $0.count))
        }
        truncatedRows = Int(clamping: reply.truncatedRows)
        notes = reply.notes
        seconds = reply.seconds
    }
}
