package import Encoders

/// How an encoder is trained without labels.
package struct Pretraining: Sendable, Codable, Equatable {
    package var kind = LatentConfiguration.Kind.vae
    /// Height and width that images are brought to.
    package var side = 28
    package var channels = 1
    /// Numbers of the code.
    package var code = 16
    /// Channels of the encoder's stages; empty: chosen by the side.
    package var widths: [Int] = []
    /// Of the decoder; empty: the encoder's in reverse, or for `masked` half of that (He et al. 2022 show that a small one does).
    package var decoderWidths: [Int] = []
    package var hidden = 256
    /// Hidden units of each machine of an `rbm`; empty: one of `code`.
    package var units: [Int] = []

    package var epochs = 20
    package var batchSize = 64
    /// nil: 0.002, of `contrastive` 0.001, of `rbm` 0.05.
    package var learningRate: Double?
    package var seed: UInt64 = 0
    /// Share of the images kept for validation.
    package var validation = 0.05
    /// Epochs without a better validation loss before training stops.
    package var patience = 10

    package var beta = BetaSchedule()
    /// Of `denoising`: deviation of the noise, on pixels from 0 to 1.
    package var noise = 0.3
    package var masking = Masking()
    package var boltzmann = BoltzmannSettings()
    /// Of `contrastive` (Chen et al. 2020): temperature of the softmax.
    package var temperature = 0.2
    /// How images are varied while training. Of `contrastive` the two views differ by it; nil there: `Augmentation.views`.
    package var augmentation: Augmentation?

    package init() {}

    package var rate: Double {
        learningRate ?? (kind == .rbm ? 0.05 : kind == .contrastive ? 0.001 : 0.002)
    }

    /// The network's configuration.
    ///
    /// - Throws: `LatentError.invalidArgument` naming the setting that cannot be.
    package func network() throws -> LatentConfiguration {
        func require(_ holds: Bool, _ message: String) throws {
            if !holds { throw LatentError(.invalidArgument, message) }
        }
        try require(epochs > 0 && epochs <= 100_000, "Epochs must be from 1 to 100000; they were \(epochs).")
        try require(batchSize > 1 && batchSize <= 1 << 16, "The batch must have from 2 to 65536 images; it had \(batchSize).")
        try require(rate > 0 && rate.isFinite, "The learning rate must be positive; it was \(rate).")
        try require(validation >= 0 && validation < 1, "The share for validation is from 0 to below 1; it was \(validation).")
        try require(patience > 0, "Patience is at least one epoch; it was \(patience).")
        try require(noise >= 0 && noise <= 10, "The noise's deviation is from 0 to 10; it was \(noise).")
        try require(temperature > 0.001 && temperature <= 100, "The temperature is from 0.001 to 100; it was \(temperature).")
        try require(channels == 1 || channels == 3, "Images have 1 or 3 channels, not \(channels).")
        try beta.validate()
        try masking.validate(side: side)
        try boltzmann.validate()
        try augmentation?.validate()
        let configuration: LatentConfiguration
        if kind == .rbm {
            let units = units.isEmpty ? [code] : units
            configuration = LatentConfiguration(
                kind: kind, side: side, channels: channels, code: units[units.count - 1], units: units)
        } else {
            let widths = try widths.isEmpty ? Self.widths(side: side) : widths
            let mirrored = decoderWidths.isEmpty ? widths.reversed().map { kind == .masked ? max($0 / 2, 8) : $0 } : decoderWidths
            configuration = LatentConfiguration(
                kind: kind, side: side, channels: channels, code: code, widths: widths,
                decoderWidths: kind.hasDecoder ? mirrored : [], hidden: hidden)
        }
        do { try configuration.validate() } catch {
            throw LatentError(.invalidArgument, "These settings make no network: \(error).")
        }
        return configuration
    }

    /// Stages until the side is at most 7.
    private static func widths(side: Int) throws -> [Int] {
        let all = [32, 64, 128, 128, 256, 256]
        var stages = 0, left = side
        while left > 7, left % 2 == 0, stages < all.count { (left, stages) = (left / 2, stages + 1) }
        guard stages > 0, left <= 8 else {
            throw LatentError(
                .invalidArgument,
                "A size of \(side) cannot be halved down to 8 or less. Use 28, 32, 48, 64, 96 or 128.")
        }
        return Array(all[..<stages])
    }
}

/// How the weight of a VAE's KL divergence rises: from 0 to `beta` over the first `warmup` of the steps, `cycles` times (1: once, and it
/// stays; Fu et al. 2019).
package struct BetaSchedule: Sendable, Codable, Equatable {
    package var beta = 0.01
    package var warmup = 0.1
    package var cycles = 1

    package init(beta: Double = 0.01, warmup: Double = 0.1, cycles: Int = 1) {
        (self.beta, self.warmup, self.cycles) = (beta, warmup, cycles)
    }

    /// The weight of step `step` of `total`.
    package func weight(_ step: Int, of total: Int) -> Double {
        let length = max(1, Double(total) / Double(cycles))
        let share = Double(step).truncatingRemainder(dividingBy: length) / length
        return warmup <= 0 ? beta : beta * min(1, share / warmup)
    }

    func validate() throws {
        guard beta >= 0, beta <= 1000, (0...1).contains(warmup), (1...1000).contains(cycles) else {
            throw LatentError(
                .invalidArgument,
                "beta is from 0 to 1000, its warm-up a share of the steps, its cycles from 1 to 1000; they were \(beta), \(warmup), \(cycles).")
        }
    }
}

/// What a masked autoencoder does not see (He et al. 2022).
package struct Masking: Sendable, Codable, Equatable {
    /// Side of a patch, in pixels.
    package var patch = 4
    /// Share of the patches that are hidden.
    package var ratio = 0.5
    /// Weight of the visible patches' error beside the hidden ones' 1. Not 0, so that whole images are reconstructed as well.
    package var visibleWeight = 0.2

    package init() {}

    func validate(side: Int) throws {
        guard patch > 0, patch <= side, ratio > 0, ratio < 1, (0...1).contains(visibleWeight) else {
            throw LatentError(
                .invalidArgument,
                "Patches are from 1 to \(side) pixels, and the share hidden between 0 and 1; they were \(patch) and \(ratio).")
        }
    }
}
