package import Encoders
package import TensorCore

/// Restricted Boltzmann machines, trained one after the other, each on the hidden probabilities of those below: a deep belief network when
/// there are several. The epochs are shared out evenly.
package final class BoltzmannLearner: LatentLearner {
    private let settings: Pretraining
    private let configuration: LatentConfiguration
    private var trainings: [BoltzmannTraining] = []

    package init(_ settings: Pretraining, _ configuration: LatentConfiguration) {
        (self.settings, self.configuration) = (settings, configuration)
        var visible = configuration.pixels
        for (layer, hidden) in configuration.units.enumerated() {
            let machine = BoltzmannMachine(visible: visible, hidden: hidden, seed: settings.seed, stream: "machine \(layer)")
            trainings.append(BoltzmannTraining(machine, settings.boltzmann))
            visible = hidden
        }
    }

    package var machines: [BoltzmannMachine] { trainings.map(\.machine) }

    package var weights: [Tensor] { machines.flatMap { [$0.weight, $0.hiddenBias, $0.visibleBias] } }

    package var tensors: [String: Tensor] {
        var result: [String: Tensor] = [:]
        for (layer, machine) in machines.enumerated() {
            result["encoder.layers.\(layer).weight"] = machine.weight
            result["encoder.layers.\(layer).bias"] = machine.hiddenBias
            result["decoder.layers.\(layer).bias"] = machine.visibleBias
        }
        return result
    }

    private func layer(_ place: TrainingPlace) -> Int {
        min(place.step * trainings.count / max(place.totalSteps, 1), trainings.count - 1)
    }

    /// What the machine at `layer` sees of images.
    private func visible(_ images: Tensor, below layer: Int) -> Tensor {
        var x = images.reshapedView([images.shape[0], configuration.pixels])
        for machine in machines.prefix(layer) { x = machine.hiddenProbabilities(x) }
        return x
    }

    package func step(_ images: Tensor, _ place: TrainingPlace) throws -> [String: Double] {
        let layer = layer(place)
        trainings[layer].step(
            visible(images, below: layer), rate: settings.rate, seed: place.seed &+ UInt64(layer), step: place.step)
        let corner = Double(machines[layer].visibleBias.pointer[0] + machines[layer].weight.pointer[0])
        guard corner.isFinite else { throw LatentError.diverged("a weight", corner, place, rate: settings.rate) }
        return ["layer": Double(layer + 1)]
    }

    package func codes(_ images: Tensor) -> Tensor { visible(images, below: trainings.count) }

    package func figures(_ images: Tensor, _ place: TrainingPlace) -> [String: Double] {
        let layer = layer(place), visible = visible(images, below: layer), machine = machines[layer]
        let error = machine.reconstructionError(visible)
        return [
            "loss": error * Double(machine.visible), "mse": error, "layer": Double(layer + 1),
            "pseudo_likelihood": machine.pseudoLikelihood(visible, seed: place.seed),
            "spread": ReconstructionLearner.spread(machine.hiddenProbabilities(visible)),
        ]
    }

    package func collapse(_ figures: [String: Double], _ place: TrainingPlace) -> LatentError? {
        if let loss = figures["loss"], !loss.isFinite { return .diverged("the reconstruction error", loss, place, rate: settings.rate) }
        guard let spread = figures["spread"], spread < 1e-4, place.isPastTheStart else { return nil }
        return LatentError(
            .collapsed,
            "The machine has collapsed: its hidden units are the same for all images. Try another learning rate than \(settings.rate).")
    }
}
