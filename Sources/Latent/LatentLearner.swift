package import TensorCore

/// Something that learns from images alone, a batch at a time.
package protocol LatentLearner: AnyObject {
    /// Everything that training changes, in one order. Of the best epoch they are kept.
    var weights: [Tensor] { get }
    /// What the model's file holds, by name.
    var tensors: [String: Tensor] { get }

    /// One step on images `[batch, channels, side, side]`. Returns "loss" and its parts.
    ///
    /// - Throws: `LatentError.notFinite`.
    func step(_ images: Tensor, _ place: TrainingPlace) throws -> [String: Double]

    /// "loss" and other figures of images that are not trained on, without variation. Nothing is changed.
    func figures(_ images: Tensor, _ place: TrainingPlace) -> [String: Double]

    /// The codes `[batch, code]` of images, without history.
    func codes(_ images: Tensor) -> Tensor

    /// What is wrong with a training that has come this far, judged by the figures of an epoch; nil: nothing.
    func collapse(_ figures: [String: Double], _ place: TrainingPlace) -> LatentError?
}

/// Where a training stands.
package struct TrainingPlace: Sendable {
    /// Counted from 0.
    package var step: Int
    package var totalSteps: Int
    package var epoch: Int
    package var seed: UInt64

    /// Before this many steps any code looks collapsed.
    private static let leastSteps = 100

    /// Whether a collapse by now is one that stays: a quarter of the training has passed.
    var isPastTheStart: Bool { step >= max(totalSteps / 4, Self.leastSteps) }
}

extension LatentError {
    /// What training says when a number is not one.
    static func diverged(_ what: String, _ value: Double, _ place: TrainingPlace, rate: Double) -> LatentError {
        LatentError(
            .notFinite,
            "Training diverged at step \(place.step + 1): \(what) is \(value.isNaN ? "not a number" : "infinite"). Try a lower "
                + "learning rate than \(rate).", details: ["step": String(place.step + 1), "tensor": what])
    }
}
