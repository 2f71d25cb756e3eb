internal import HidraProtocol

/// Where a long piece of work stands.
public struct WorkProgress: Sendable, Equatable {
    /// The head or encoder concerned.
    public let subject: String
    /// "queued", "downloading", "extracting features", "training", "evaluating", …
    public let phase: String
    public let done: Int
    /// Nil while it is not known.
    public let total: Int?
    /// "rows", "steps", "bytes"
    public let unit: String
    /// Values of this moment, e.g. "loss".
    public let metrics: [String: Double]
    /// A finding to be read, e.g. how many texts were truncated; empty in most messages.
    public let note: String

    init(_ progress: Hidra_V1_Progress, subject: String) {
        self.subject = subject
        phase = progress.phase
        done = Int(clamping: progress.done)
        total = progress.total == 0 ? nil : Int(clamping: progress.total)
        unit = progress.unit
        metrics = progress.metrics
        note = progress.note
    }
}

/// A head as training left it.
public struct TrainedHead: Sendable {
    public struct Seconds: Sendable {
        /// Encoding the texts whose features were not cached.
        public let extracting: Double
        public let training: Double
        public let evaluating: Double
        public let total: Double
    }

    public let name: String
    public let encoder: String
    /// In the order of the head's outputs; empty for regression.
    public let labels: [String]
    public let trainRows: Int
    public let validationRows: Int
    /// Texts whose features were cached, and those that had to be encoded.
    public let cacheHits: Int
    public let cacheMisses: Int
    public let seconds: Seconds
    /// Optimiser steps for each second of training.
    public let stepsPerSecond: Double
    /// On the test or held-out rows; nil when there were none.
    public let evaluation: Evaluation?
    /// What the user should know, e.g. labels seen once.
    public let notes: [String]

    init(_ reply: Hidra_V1_TrainReply) {
        name = reply.head.name
        encoder = reply.head.encoder
        labels = reply.head.labels
        let summary = reply.summary
        trainRows = Int(clamping: summary.trainRows)
        validationRows = Int(clamping: summary.validationRows)
        cacheHits = Int(clamping: summary.cacheHits)
        cacheMisses = Int(clamping: summary.cacheMisses)
        seconds = Seconds(
            extracting: summary.extractSeconds, training: summary.trainSeconds, evaluating: summary.evaluateSeconds,
            total: summary.totalSeconds)
        stepsPerSecond = summary.stepsPerSecond
        evaluation = reply.hasTest ? Evaluation(reply.test) : nil
        notes = summary.notes
    }
}
