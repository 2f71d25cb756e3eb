import Checkpoints
package import Encoders
import Glibc
package import TensorCore

/// Autoencoders: plain, denoising (Vincent et al. 2008), masked (He et al. 2022) and variational (Kingma & Welling 2014).
///
/// The loss is the squared error summed over an image's pixels, plus β times the KL divergence where there is one; the mean over the
/// images.
package final class ReconstructionLearner: LatentLearner {
    private let configuration: LatentConfiguration
    private let settings: Pretraining
    private let scope: ParameterScope
    private let encoder: ConvolutionalEncoder
    private let decoder: ConvolutionalDecoder
    private var optimiser: GradientStep

    package init(_ settings: Pretraining, _ configuration: LatentConfiguration) {
        (self.settings, self.configuration) = (settings, configuration)
        scope = ParameterScope(initialisedFrom: settings.seed)
        encoder = ConvolutionalEncoder(configuration, in: scope.scope("encoder"))
        decoder = ConvolutionalDecoder(configuration, in: scope.scope("decoder"))
        optimiser = GradientStep(scope.parameters, rate: settings.rate)
    }

    package var weights: [Tensor] { scope.parameters.map(\.value) }

    package var tensors: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: scope.parameters.map { ($0.name, $0.value.detached) })
    }

    package func step(_ images: Tensor, _ place: TrainingPlace) throws -> [String: Double] {
        var seen = images, weights: Tensor?
        switch configuration.kind {
        case .denoising:
            seen = CounterNoise(seed: place.seed, stream: "denoising", step: place.step).disturbing(images, deviation: Float(settings.noise))
        case .masked: (seen, weights) = settings.masking.hide(images, place)
        case .autoencoder, .vae, .contrastive, .rbm: break
        }
        let (mean, logVariance) = encoder.distribution(seen)
        var code = mean
        if let logVariance {
            let noise = CounterNoise(seed: place.seed, stream: "posterior", step: place.step).normals(mean.shape)
            let deviation = Exponential()(Multiply()(logVariance, Tensor(scalar: 0.5)))
            code = Add()(mean, Multiply()(deviation, noise))
        }
        var output = Sigmoid()(decoder(code)), target = images
        if let weights { (output, target) = (Multiply()(output, weights), Multiply()(images, weights)) }
        let error = MeanSquaredError(reduction: .batchMean)(output, target)
        var terms = ["reconstruction": Double(error.scalar)], loss = error
        if let logVariance {
            let divergence = GaussianDivergence()(mean, logVariance)
            let beta = settings.beta.weight(place.step, of: place.totalSteps)
            terms["kl"] = Double(divergence.scalar)
            terms["beta"] = beta
            loss = Add()(error, Multiply()(divergence, Tensor(scalar: Float(beta))))
        }
        terms["loss"] = Double(loss.scalar)
        try optimiser.take(loss, place)
        return terms
    }

    package func codes(_ images: Tensor) -> Tensor { encoder(images).detached }

    package func figures(_ images: Tensor, _ place: TrainingPlace) -> [String: Double] {
        let (mean, logVariance) = encoder.distribution(images)
        let output = Sigmoid()(decoder(mean.detached)).detached
        let figures = ImageFigures(images, output)
        var result = ["mse": figures.meanError, "psnr": figures.meanPSNR]
        var loss = figures.meanError * Double(configuration.pixels)
        if let logVariance {
            let divergences = Self.divergences(mean.detached, logVariance.detached)
            let total = divergences.reduce(0, +)
            result["kl"] = total
            result["active"] = Double(divergences.count { $0 > Self.activeNats })
            loss += settings.beta.beta * total
        } else {
            result["spread"] = Self.spread(mean.detached)
        }
        result["loss"] = loss
        return result
    }

    /// A number of the code whose mean divergence is below this carries nothing (Burda et al. 2016).
    package static let activeNats = 0.01

    /// KL divergence of each number of the code, the mean over the images: `[code]`.
    package static func divergences(_ mean: Tensor, _ logVariance: Tensor) -> [Double] {
        let rows = mean.shape[0], width = mean.shape[1]
        var sums = [Double](repeating: 0, count: width)
        for row in 0..<rows {
            for column in 0..<width {
                let m = Double(mean.pointer[row * width + column]), l = Double(logVariance.pointer[row * width + column])
                sums[column] += 0.5 * (m * m + exp(l) - 1 - l)
            }
        }
        return sums.map { $0 / Double(max(rows, 1)) }
    }

    /// Mean deviation of the code's numbers between images: 0 when all images have one code.
    static func spread(_ codes: Tensor) -> Double {
        let rows = codes.shape[0], width = codes.shape[1]
        guard rows > 1 else { return 1 }
        var total = 0.0
        for column in 0..<width {
            var sum = 0.0, squares = 0.0
            for row in 0..<rows {
                let value = Double(codes.pointer[row * width + column])
                (sum, squares) = (sum + value, squares + value * value)
            }
            total += max(0, squares / Double(rows) - sum * sum / Double(rows * rows)).squareRoot()
        }
        return total / Double(width)
    }

    package func collapse(_ figures: [String: Double], _ place: TrainingPlace) -> LatentError? {
        if let active = figures["active"], active == 0, place.isPastTheStart {
            return LatentError(
                .collapsed,
                "Posterior collapse in epoch \(place.epoch): no number of the code carries anything (KL \(rounded(figures["kl"]))), so every "
                    + "image is decoded to the same. Lower beta (\(settings.beta.beta)), or raise it more slowly (--beta-warmup).",
                details: ["kl": String(figures["kl"] ?? 0)])
        }
        if let spread = figures["spread"], spread < 1e-4, place.isPastTheStart {
            return LatentError(
                .collapsed,
                "The code has collapsed in epoch \(place.epoch): all images have the same one. Try a lower learning rate than \(settings.rate).")
        }
        return nil
    }

    private func rounded(_ value: Double?) -> String { String((1000 * (value ?? 0)).rounded() / 1000) }
}

extension Masking {
    /// Images whose hidden patches are black, and the root of each pixel's weight in the loss.
    func hide(_ images: Tensor, _ place: TrainingPlace) -> (seen: Tensor, weights: Tensor) {
        let (batch, channels, side) = (images.shape[0], images.shape[1], images.shape[2])
        let across = (side + patch - 1) / patch, patches = across * across
        let hidden = min(max(1, Int((Double(patches) * ratio).rounded())), patches - 1 + (patches == 1 ? 1 : 0))
        let seen = Tensor(images.values, images.shape), weights = Tensor(repeating: Float(visibleWeight).squareRoot(), images.shape)
        var random = Random(seed: place.seed &+ UInt64(place.step) &* 0x9e37_79b9, stream: "masking")
        for image in 0..<batch {
            for index in random.permutation(patches).prefix(hidden) {
                let top = index / across * patch, left = index % across * patch
                let columns = left..<min(left + patch, side)
                for channel in 0..<channels {
                    for row in top..<min(top + patch, side) {
                        let start = ((image * channels + channel) * side + row) * side
                        for column in columns {
                            seen.mutablePointer[start + column] = 0
                            weights.mutablePointer[start + column] = 1
                        }
                    }
                }
            }
        }
        return (seen, weights)
    }
}
