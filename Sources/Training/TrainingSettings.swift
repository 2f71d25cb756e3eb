/// How a head is trained. The defaults suit heads on frozen features.
package struct TrainingSettings: Sendable, Codable, Equatable {
    package var epochs = 30
    /// nil: found by a range test before training.
    package var learningRate: Double?
    package var batchSize = 64
    package var seed: UInt64 = 0
    package var weightDecay = 1e-4
    /// Share of all steps with a rising rate.
    package var warmup = 0.05
    /// Epochs without a better validation score before training stops.
    package var patience = 10
    /// Share of the rows kept for validation.
    package var validation = 0.1
    package var classWeights = false
    /// Of `classify`: share of the target spread over all labels (Szegedy et al. 2016). It keeps heads on frozen features from
    /// growing overconfident: on Banking77 it is worth half a point of accuracy.
    package var labelSmoothing = 0.1

    package init() {}
}
