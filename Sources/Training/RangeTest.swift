import Checkpoints
import Glibc
import TensorCore

/// Learning-rate range test (Smith 2017): a short run with a rate that grows geometrically; the rate to use is a fraction of the
/// one where the smoothed loss is lowest, safely before it diverges.
package enum RangeTest {
    static let lowest = 1e-4, highest = 1.0, steps = 120
    /// Share of that rate that is used in a run of so many steps. At the minimum itself training is no longer stable. AdamW moves
    /// by about the rate in each step, so a long run does best well below it (Banking77, 4,000 steps: 1/30, for linear and MLP
    /// heads alike), and a short one needs more to arrive at all.
    package static func fraction(ofSteps steps: Int) -> Double { min(0.3, 2 / Double(max(steps, 1)).squareRoot()) }

    /// Trains `network` (a throw-away copy) and returns the rate to use in a run of the settings' epochs.
    package static func learningRate(
        _ network: any Network, features: FeatureTable, targets: Targets, objective: Objective,
        settings: TrainingSettings
    ) throws -> Double {
        let perEpoch = (features.rows + settings.batchSize - 1) / settings.batchSize
        return try lowestLossRate(network, features: features, targets: targets, objective: objective, settings: settings)
            * fraction(ofSteps: perEpoch * settings.epochs)
    }

    /// Trains `network` (a throw-away copy) and returns the rate where the smoothed loss is lowest.
    package static func lowestLossRate(
        _ network: any Network, features: FeatureTable, targets: Targets, objective: Objective,
        settings: TrainingSettings
    ) throws -> Double {
        var optimiser = AdamW(network.parameters, weightDecay: Float(settings.weightDecay))
        let leaves = network.parameters.map(\.value)
        var random = Random(seed: settings.seed, stream: "range test")
        var smoothed = 0.0, best = (loss: Double.infinity, rate: 1e-3)
        for step in 0..<steps {
            let rate = lowest * pow(highest / lowest, Double(step) / Double(steps - 1))
            let batch = (0..<min(settings.batchSize, features.rows)).map { _ in random.index(below: features.rows) }
            let outputs = try network(features.batch(batch[...]), dropoutSeed: settings.seed &+ UInt64(step))
            let loss = network.loss(outputs, targets.selecting(batch), or: objective)
            let value = Double(loss.scalar)
            guard value.isFinite else { break }
            smoothed = smoothed * 0.9 + value * 0.1
            let corrected = smoothed / (1 - pow(0.9, Double(step + 1)))
            if corrected < best.loss { best = (corrected, rate) }
            if step > 20, corrected > 2 * best.loss { break }
            let gradients = loss.gradients(for: leaves)
            // Past this rate nothing can be learnt; the training itself says what is bad.
            if FiniteCheck.firstBad(gradients) != nil { break }
            optimiser.step(gradients, learningRate: Float(rate))
        }
        return best.rate
    }
}
