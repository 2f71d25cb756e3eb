package import Checkpoints
package import Encoders
package import Foundation
package import TensorCore

/// An encoder with its decoder, loaded from its folder: images to codes and back.
package final class LatentModel: @unchecked Sendable {
    // `@unchecked`: the weights are written while loading and only read afterwards.
    private enum Body {
        case convolutional(ConvolutionalEncoder, ConvolutionalDecoder?)
        case belief([BoltzmannMachine])
    }

    package let configuration: LatentConfiguration
    package let statistics: CodeStatistics
    private let body: Body

    /// - Throws: `CheckpointError` for a damaged folder; `LatentError`: not an encoder that was trained here, or without its decoder.
    package convenience init(folder: URL) throws {
        let json = try Data(contentsOf: folder.appending(path: "config.json"))
        let type = try EncoderRegistry.native.architecture(json)
        guard type == LatentConfiguration.modelType else {
            throw LatentError(
                .unsupported,
                "This encoder is of the type \"\(type)\", which has no decoder. Encoders that `hidra pretrain` makes have one.")
        }
        try self.init(
            configuration: LatentConfiguration(json: json), weights: Safetensors(folder.appending(path: "model.safetensors")))
    }

    package init(configuration: LatentConfiguration, weights: Safetensors) throws {
        self.configuration = configuration
        if configuration.kind.hasDecoder, !weights.names.contains(where: { $0.hasPrefix("decoder.") }) {
            throw LatentError(
                .unsupported,
                "\(weights.file) holds no decoder, only an encoder: its features can be used, but no image can be decoded. Fetch the whole "
                    + "file again, or train it anew with `hidra pretrain`.")
        }
        let scope = try ParameterScope(frozen: weights), encoder = scope.scope("encoder"), decoder = scope.scope("decoder")
        if configuration.kind == .rbm {
            var visible = configuration.pixels, machines: [BoltzmannMachine] = []
            for (layer, hidden) in configuration.units.enumerated() {
                machines.append(
                    BoltzmannMachine(
                        weight: encoder.scope("layers", layer).parameter("weight", [hidden, visible], initial: .zeros).value,
                        hiddenBias: encoder.scope("layers", layer).parameter("bias", [hidden], initial: .zeros).value,
                        visibleBias: decoder.scope("layers", layer).parameter("bias", [visible], initial: .zeros).value))
                visible = hidden
            }
            body = .belief(machines)
        } else {
            body = .convolutional(
                ConvolutionalEncoder(configuration, in: encoder),
                configuration.kind.hasDecoder ? ConvolutionalDecoder(configuration, in: decoder) : nil)
        }
        let place = scope.scope("statistics"), code = configuration.code
        let mean = place.parameter("mean", [code], initial: .zeros), factor = place.parameter("factor", [code, code], initial: .zeros)
        try scope.finish()
        statistics = CodeStatistics(mean: mean.value.values, factor: factor.value.values)
    }

    package var code: Int { configuration.code }

    /// The codes `[batch, code]` of images `[batch, channels, side, side]`; of a VAE the means, with the logarithms of the variances.
    package func encode(_ images: Tensor) -> (codes: Tensor, logVariance: Tensor?) {
        switch body {
        case .convolutional(let encoder, _):
            let (mean, logVariance) = encoder.distribution(images)
            return (mean, logVariance)
        case .belief(let machines):
            let visible = images.reshapedView([images.shape[0], configuration.pixels])
            return (machines.reduce(visible) { $1.hiddenProbabilities($0) }, nil)
        }
    }

    /// Images `[batch, channels, side, side]` of codes `[batch, code]`, pixels from 0 to 1.
    ///
    /// - Throws: `LatentError`: a code of another width, or a model that has no decoder.
    package func decode(_ codes: Tensor) throws -> Tensor {
        guard codes.rank == 2, codes.shape[1] == code else {
            throw LatentError(
                .invalidArgument,
                "A latent of this model has \(code) numbers; this one has \(codes.rank == 2 ? codes.shape[1] : codes.count).",
                details: ["expected": String(code), "got": String(codes.shape.last)])
        }
        let shape: Shape = [codes.shape[0], configuration.channels, configuration.side, configuration.side]
        switch body {
        case .convolutional(_, nil):
            throw LatentError(
                .unsupported,
                "A model of the kind \(configuration.kind.rawValue) has no decoder: it can encode, but makes no images. Use one of the kinds "
                    + "ae, denoising, masked, vae or rbm.")
        case .convolutional(_, let decoder?): return Sigmoid()(decoder(codes))
        case .belief(let machines):
            return machines.reversed().reduce(codes) { $1.visibleProbabilities($0) }.reshapedView(shape)
        }
    }

    /// Draws codes: of machines by Gibbs sampling in the topmost one, otherwise from a Gaussian with the mean and covariance of the training
    /// images' codes. That of a VAE comes close to the standard normal only when beta is high; with a low one, the standard normal would miss
    /// where the codes lie. `[count, code]`
    ///
    /// - Parameter temperature: scales the deviation; ignored by machines.
    package func sample(_ count: Int, seed: UInt64, temperature: Float = 1) -> Tensor {
        if case .belief(let machines) = body, let top = machines.last { return gibbs(top, count, seed) }
        let noise = CounterNoise(seed: seed, stream: "sample"), codes = Tensor(uninitialised: [count, code])
        for row in 0..<count {
            let z = (0..<code).map { noise.normal(row * code + $0) * temperature }
            for (i, value) in statistics.place(z).enumerated() {
                codes.mutablePointer[row * code + i] = value
            }
        }
        return codes
    }

    /// Rounds of Gibbs sampling before a picture is taken: few, for long chains of a small machine end in one mode.
    private static let burnIn = 30

    private func gibbs(_ machine: BoltzmannMachine, _ count: Int, _ seed: UInt64) -> Tensor {
        // Begins where codes of real images lie.
        let noise = CounterNoise(seed: seed, stream: "gibbs"), start = Tensor(uninitialised: [count, code])
        for row in 0..<count {
            for (i, value) in statistics.place((0..<code).map { noise.normal(row * code + $0) }).enumerated() {
                start.mutablePointer[row * code + i] = min(max(value, 0), 1)
            }
        }
        var hidden = CounterNoise(seed: seed, stream: "gibbs start").bernoulli(start), probabilities = start
        for round in 0..<Self.burnIn {
            let visible = CounterNoise(seed: seed, stream: "gibbs visible", step: round).bernoulli(machine.visibleProbabilities(hidden))
            probabilities = machine.hiddenProbabilities(visible)
            hidden = CounterNoise(seed: seed, stream: "gibbs hidden", step: round).bernoulli(probabilities)
        }
        return probabilities
    }
}
