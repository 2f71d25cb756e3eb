import Checkpoints
package import Encoders
import Glibc
import Layers
package import TensorCore

/// SimCLR (Chen et al. 2020): two variations of an image must find each other among all others of the batch, by the NT-Xent loss on a
/// projection of the code. The projection is dropped after training.
package final class ContrastiveLearner: LatentLearner {
    private static let projectionWidth = 64

    private let settings: Pretraining
    private let augmentation: Augmentation
    private let encoderScope: ParameterScope
    private let encoder: ConvolutionalEncoder
    private let first: Linear, second: Linear
    private let parameters: [Parameter]
    private var optimiser: GradientStep

    package init(_ settings: Pretraining, _ configuration: LatentConfiguration) {
        self.settings = settings
        augmentation = settings.augmentation ?? .views
        encoderScope = ParameterScope(initialisedFrom: settings.seed)
        encoder = ConvolutionalEncoder(configuration, in: encoderScope.scope("encoder"))
        let projection = ParameterScope(initialisedFrom: settings.seed)
        first = Linear(configuration.code, configuration.code, in: projection.scope("projection", 0))
        second = Linear(configuration.code, Self.projectionWidth, in: projection.scope("projection", 1))
        parameters = encoderScope.parameters + projection.parameters
        optimiser = GradientStep(parameters, rate: settings.rate)
    }

    package var weights: [Tensor] { parameters.map(\.value) }

    package var tensors: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: encoderScope.parameters.map { ($0.name, $0.value.detached) })
    }

    /// The loss of two views of each image, and the projections `[2 batch, width]`: the first views, then the second ones.
    private func loss(_ images: Tensor, _ place: TrainingPlace, stream: String) -> (loss: Tensor, projections: Tensor) {
        let batch = images.shape[0]
        let views = ["first", "second"].map {
            augmentation(images, seed: place.seed, stream: "\(stream) \($0) view", step: place.step)
        }
        let code = encoder(Concatenate(axis: 0).apply(views))
        let projections = second(SiLU()(first(SiLU()(code))))
        let labels = (0..<2 * batch).map { Int32($0 % batch) }
        return (SupervisedContrastive(labels: labels, temperature: Float(settings.temperature))(projections), projections)
    }

    package func step(_ images: Tensor, _ place: TrainingPlace) throws -> [String: Double] {
        let (loss, _) = loss(images, place, stream: "training")
        try optimiser.take(loss, place)
        return ["loss": Double(loss.scalar)]
    }

    package func codes(_ images: Tensor) -> Tensor { encoder(images).detached }

    package func figures(_ images: Tensor, _ place: TrainingPlace) -> [String: Double] {
        // The same views in every epoch, so that epochs can be compared; at most a batch, whose size the loss depends on.
        var still = place
        still.step = 0
        let (loss, projections) = loss(images, still, stream: "validation")
        let directions = L2Normalisation()(projections.detached)
        // Of random directions every coordinate deviates by 1 / √width.
        let spread = ReconstructionLearner.spread(directions) * Double(Self.projectionWidth).squareRoot()
        return ["loss": Double(loss.scalar), "spread": spread]
    }

    package func collapse(_ figures: [String: Double], _ place: TrainingPlace) -> LatentError? {
        guard let spread = figures["spread"], spread < 0.02, place.isPastTheStart else { return nil }
        return LatentError(
            .collapsed,
            "The representation has collapsed in epoch \(place.epoch): all images are projected to one point (spread \(spread)). Try a lower "
                + "learning rate than \(settings.rate), a larger batch, or a higher temperature.")
    }
}
