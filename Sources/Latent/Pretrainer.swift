package import Encoders
package import Foundation
package import TensorCore

/// Trains an encoder without labels, one step at a time, so that its owner decides what runs between steps.
///
/// A validation split decides when to stop and which epoch's weights stay. Everything random comes from the seed: the same images and
/// settings give the same bytes.
package final class Pretrainer {
    package struct Epoch: Sendable, Codable, Equatable {
        package let number: Int, step: Int
        /// Means over the epoch's steps: "loss" and its parts.
        package let training: [String: Double]
        /// Of the validation images, after the epoch: "loss", "psnr", "kl", …
        package let validation: [String: Double]
    }

    package let settings: Pretraining
    package let configuration: LatentConfiguration
    package let stepsPerEpoch: Int, totalSteps: Int
    package private(set) var step = 0
    package private(set) var isFinished = false
    package private(set) var bestEpoch = 0
    package private(set) var history: [Epoch] = []
    package private(set) var lastTerms: [String: Double] = [:]

    private let images: PixelSet
    private let learner: any LatentLearner
    private let kept: [Int], held: [Int]
    private var order: [Int] = []
    private var sums: [String: Double] = [:]
    private var bestLoss = Double.infinity
    private var best: [Tensor]
    /// Validation images at most: they are measured in one go.
    private static let mostHeld = 1000

    /// - Throws: `LatentError` for settings that cannot be, or too few images.
    package init(_ settings: Pretraining, _ images: PixelSet) throws {
        precondition(images.side == settings.side && images.channels == settings.channels, "images of another size than the settings'")
        self.settings = settings
        self.images = images
        configuration = try settings.network()
        guard images.count >= 4 else {
            throw LatentError(.invalidData, "\(images.count) images are too few to train an encoder on; there must be 4 at least.")
        }
        var random = Random(seed: settings.seed, stream: "validation")
        let shuffled = random.permutation(images.count)
        let heldCount = min(Int((Double(images.count) * settings.validation).rounded()), Self.mostHeld, images.count - 2)
        held = shuffled.prefix(heldCount).sorted()
        kept = shuffled.dropFirst(heldCount).sorted()
        let batch = min(settings.batchSize, kept.count)
        // Batches of equal size: the last images of an epoch's order come first in another one.
        stepsPerEpoch = max(1, kept.count / batch)
        totalSteps = stepsPerEpoch * settings.epochs
        learner =
            switch configuration.kind {
            case .contrastive: ContrastiveLearner(settings, configuration)
            case .rbm: BoltzmannLearner(settings, configuration)
            case .autoencoder, .denoising, .masked, .vae: ReconstructionLearner(settings, configuration)
            }
        best = []
    }

    package var epoch: Int { min(step / stepsPerEpoch, settings.epochs - 1) + 1 }
    package var tensors: [String: Tensor] { learner.tensors }
    package var trainedImages: Int { kept.count }
    package var validationImages: Int { held.count }

    private var place: TrainingPlace {
        TrainingPlace(step: step, totalSteps: totalSteps, epoch: epoch, seed: settings.seed)
    }

    /// One step; at the end of an epoch also its validation.
    ///
    /// - Throws: `LatentError`: `notFinite` and `collapsed`. Training has finished then.
    package func advance() throws {
        precondition(!isFinished, "training has finished")
        let position = step % stepsPerEpoch
        if position == 0 {
            var random = Random(seed: settings.seed, stream: "epoch \(step / stepsPerEpoch)")
            order = random.permutation(kept.count).map { kept[$0] }
            sums = [:]
        }
        let size = min(settings.batchSize, kept.count)
        var batch = images.batch(order[position * size..<(position + 1) * size])
        if configuration.kind != .contrastive, let augmentation = settings.augmentation {
            batch = augmentation(batch, seed: settings.seed, stream: "augmentation", step: step)
        }
        do { lastTerms = try learner.step(batch, place) } catch {
            isFinished = true
            throw error
        }
        for (name, value) in lastTerms { sums[name, default: 0] += value }
        step += 1
        if step % stepsPerEpoch == 0 { try finishEpoch() }
    }

    private func finishEpoch() throws {
        let number = step / stepsPerEpoch
        var here = place
        // The step just taken: which machine of a belief network it was.
        here.step = step - 1
        here.epoch = number
        // Without validation images those of the last batches stand in, so that a collapse is still found.
        let rows = held.isEmpty ? Array(order.suffix(Self.mostHeld)).sorted() : held
        let figures = learner.figures(images.batch(rows), here)
        history.append(
            Epoch(number: number, step: step, training: sums.mapValues { $0 / Double(stepsPerEpoch) }, validation: figures))
        if let collapse = learner.collapse(figures, here) {
            isFinished = true
            throw collapse
        }
        let loss = figures["loss"] ?? .infinity
        // Machines of a belief network are trained in turn: the last epoch's are meant.
        if configuration.kind == .rbm || loss < bestLoss {
            (bestLoss, bestEpoch) = (loss, number)
            keep()
        }
        let isStale = configuration.kind != .rbm && number - bestEpoch >= settings.patience
        guard number == settings.epochs || isStale else { return }
        guard bestEpoch > 0 else {
            isFinished = true
            throw LatentError.diverged("the validation loss", loss, here, rate: settings.rate)
        }
        for (weight, copy) in zip(learner.weights, best) { weight.mutablePointer.update(from: copy.pointer, count: copy.count) }
        isFinished = true
    }

    private func keep() {
        let weights = learner.weights
        if best.isEmpty { best = weights.map { Tensor(uninitialised: $0.shape) } }
        for (weight, copy) in zip(weights, best) { copy.mutablePointer.update(from: weight.pointer, count: copy.count) }
    }
}

extension Pretrainer {
    package var imagesPerStep: Int { min(settings.batchSize, trainedImages) }

    /// Images whose codes are measured for `CodeStatistics`, at most.
    private static let mostMeasured = 4096

    /// The files of the encoder's folder, with the weights as they are now; the same training gives the same bytes.
    package func files() throws -> [String: Data] {
        let rows = Array(0..<min(images.count, Self.mostMeasured)), codes = Tensor(uninitialised: [rows.count, configuration.code])
        for start in stride(from: 0, to: rows.count, by: 256) {
            let part = learner.codes(images.batch(rows[start..<min(start + 256, rows.count)])).contiguous()
            (codes.mutablePointer + start * configuration.code).update(from: part.pointer, count: part.count)
        }
        return try LatentFolder.files(configuration, tensors, statistics: CodeStatistics(codes))
    }
}
