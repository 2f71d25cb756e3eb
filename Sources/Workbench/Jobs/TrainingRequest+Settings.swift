package import Encoders
import Heads
import Training

/// Rows without labels, some of which the head labels itself.
package struct SelfTrainingRequest: Sendable {
    /// In the order of the labelled rows' columns.
    package var columns: [[EncoderInput]]
    /// Least calibrated probability of a label that is taken.
    package var confidence: Double
    package var rounds: Int

    package static let defaultConfidence = 0.9, defaultRounds = 3

    package init(columns: [[EncoderInput]], confidence: Double = defaultConfidence, rounds: Int = defaultRounds) {
        self.columns = columns
        self.confidence = confidence
        self.rounds = rounds
    }
}

/// The encoder is tuned on pairs of rows first.
package struct ContrastiveRequest: Sendable, Codable {
    /// Name of the tuned encoder.
    package var encoder: String
    /// Top layers that are tuned; nil: half of them.
    package var layers: Int?
    /// Pairs of the same label, and as many of different labels, for each row.
    package var iterations = 20
    /// Pairs in a step.
    package var batchSize = 16
    package var epochs = 1
    package var learningRate = 2e-5

    package init(encoder: String) { self.encoder = encoder }
}

extension TrainingRequest {
    package static let mostConfigurations = 500, mostRounds = 20

    func validateSettings(_ require: (Bool, String) throws -> Void) throws {
        if let search {
            try require(
                (1...Self.mostConfigurations).contains(search),
                "A search tries 1 to \(Self.mostConfigurations) configurations; \(search) were asked for.")
            try require(settings.validation > 0, "A search needs validation rows to choose by. Leave the validation share above 0.")
        }
        if let selfTraining {
            try require(task == .classify, "Self-training is for the task \"classify\": only there is one label the surest.")
            try require(settings.validation > 0, "Self-training needs validation rows. Leave the validation share above 0.")
            try require(
                selfTraining.confidence > 0 && selfTraining.confidence <= 1,
                "The confidence is \(selfTraining.confidence); it must be above 0 and at most 1, e.g. 0.9.")
            try require(
                (1...Self.mostRounds).contains(selfTraining.rounds),
                "Self-training takes 1 to \(Self.mostRounds) rounds; \(selfTraining.rounds) were asked for.")
            try require(
                selfTraining.columns.count == rows.columns.count && !(selfTraining.columns.first?.isEmpty ?? true),
                "The rows without labels need the \(rows.columns.count) columns of the labelled ones, and at least one row.")
        }
        if let contrastive {
            try require(task == .classify, "Tuning on pairs is for the task \"classify\": pairs have the same label, or not.")
            try require(
                inputs.isEmpty && kind != .graph && precision != .int8,
                "Tuning on pairs is for heads that read one vector of one encoder in fp32.")
            try require((1...1_000).contains(contrastive.iterations), "The iterations are \(contrastive.iterations); they must be 1 to 1000.")
            try require((1...1_024).contains(contrastive.batchSize), "The pairs in a step are \(contrastive.batchSize); they must be 1 to 1024.")
            try require((1...100).contains(contrastive.epochs), "The pairs' epochs are \(contrastive.epochs); they must be 1 to 100.")
            try require(
                contrastive.learningRate > 0 && contrastive.learningRate <= 0.1,
                "The encoder's learning rate is \(contrastive.learningRate); it must be above 0 and at most 0.1, e.g. 2e-5.")
            try require(contrastive.layers.map { $0 >= 1 } ?? true, "At least one layer has to be tuned.")
        }
    }
}
