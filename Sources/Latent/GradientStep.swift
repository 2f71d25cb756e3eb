import Checkpoints
import TensorCore
import Training

/// A step of Adam along the tape's gradients, their norm bounded, under a cosine schedule with a warm-up.
struct GradientStep {
    private static let largestNorm = 50.0

    private var optimiser: Adam
    private let leaves: [Tensor]
    private let rate: Double

    init(_ parameters: [Parameter], rate: Double) {
        optimiser = Adam(parameters)
        leaves = parameters.map(\.value)
        self.rate = rate
    }

    /// - Throws: `LatentError.notFinite`, before anything is changed.
    mutating func take(_ loss: Tensor, _ place: TrainingPlace) throws {
        guard loss.scalar.isFinite else { throw LatentError.diverged("the loss", Double(loss.scalar), place, rate: rate) }
        let gradients = loss.gradients(for: leaves)
        let (clipped, norm) = GradientClipping.norm(largest: Self.largestNorm)(gradients)
        if let norm, !norm.isFinite { throw LatentError.diverged("the gradients' norm", norm, place, rate: rate) }
        let warmup = min(place.totalSteps / 20, 500)
        let now = Schedule.cosine(warmup: warmup, total: place.totalSteps).rate(place.step + 1, base: rate)
        optimiser.step(clipped, learningRate: now)
    }
}
