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
    /// Largest norm of all gradients together; nil: any.
    package var clipNorm: Double?
    /// Largest element of a gradient; nil: any.
    package var clipValue: Double?
    /// Batches whose mean gradient makes one step.
    package var accumulation = 1
    /// Decay of the moving average of the weights that is validated and kept; nil: the weights themselves are.
    package var averageDecay: Double?

    package init() {}

    /// Settings that did not exist yet when a head was written have their defaults; the others must be there.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        epochs = try values.decode(Int.self, forKey: .epochs)
        learningRate = try values.decodeIfPresent(Double.self, forKey: .learningRate)
        batchSize = try values.decode(Int.self, forKey: .batchSize)
        seed = try values.decode(UInt64.self, forKey: .seed)
        weightDecay = try values.decode(Double.self, forKey: .weightDecay)
        warmup = try values.decode(Double.self, forKey: .warmup)
        patience = try values.decode(Int.self, forKey: .patience)
        validation = try values.decode(Double.self, forKey: .validation)
        classWeights = try values.decode(Bool.self, forKey: .classWeights)
        labelSmoothing = try values.decode(Double.self, forKey: .labelSmoothing)
        clipNorm = try values.decodeIfPresent(Double.self, forKey: .clipNorm)
        clipValue = try values.decodeIfPresent(Double.self, forKey: .clipValue)
        accumulation = try values.decodeIfPresent(Int.self, forKey: .accumulation) ?? 1
        averageDecay = try values.decodeIfPresent(Double.self, forKey: .averageDecay)
    }
}
