package import Foundation

/// The `config.json` of an encoder that was trained here without labels.
package struct LatentConfiguration: EncoderConfiguration, Encodable, Sendable, Equatable {
    /// How it was trained, and so what it can do besides encoding.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case autoencoder = "ae"
        case denoising, masked, vae, contrastive
        /// Restricted Boltzmann machines, one on top of the other: a deep belief network when there are several.
        case rbm

        package var hasDecoder: Bool { self != .contrastive }
        /// Whether a code is a distribution, with a mean and a variance of each number.
        package var isVariational: Bool { self == .vae }
    }

    package static let modelType = "latent"

    package var modelType = Self.modelType
    package var kind: Kind
    /// Height and width of its images.
    package var side: Int
    /// 1 (grey) or 3.
    package var channels: Int
    /// Numbers of the code.
    package var code: Int
    /// Channels after each of the encoder's stages, each of which halves the side. Empty for `rbm`.
    package var widths: [Int]
    /// The same of the decoder, from the code to the pixels; it need not mirror the encoder. Empty where there is none.
    package var decoderWidths: [Int]
    /// Width of the layer between the stages and the code. 0 for `rbm`.
    package var hidden: Int
    /// Hidden units of each machine of an `rbm`, the last being the code.
    package var units: [Int]

    private enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
        case kind, side, channels, code, widths
        case decoderWidths = "decoder_widths"
        case hidden, units
    }

    package init(
        kind: Kind, side: Int, channels: Int, code: Int, widths: [Int] = [], decoderWidths: [Int] = [], hidden: Int = 0,
        units: [Int] = []
    ) {
        (self.kind, self.side, self.channels, self.code) = (kind, side, channels, code)
        (self.widths, self.decoderWidths, self.hidden, self.units) = (widths, decoderWidths, hidden, units)
    }

    /// - Throws: `CheckpointError.invalidConfiguration` naming the key.
    package init(json: Data) throws { self = try Self.decoded(json) }

    /// Numbers of an image.
    package var pixels: Int { channels * side * side }

    /// Side of the last stage's maps.
    package func smallestSide(_ stages: Int) -> Int { side >> stages }

    package static let largestSide = 256

    package func validate() throws {
        try require(modelType == Self.modelType, "model_type is \"\(modelType)\", expected \"\(Self.modelType)\"")
        try require("side", side, atMost: Self.largestSide)
        try require(channels == 1 || channels == 3, "channels is \(channels), expected 1 or 3")
        try require("code", code, atMost: 1 << 14)
        if kind == .rbm {
            try require(!units.isEmpty && units.count <= 16, "units has \(units.count) layers, expected 1…16")
            for width in units { try require("units", width, atMost: 1 << 16) }
            try require(units.last == code, "units end with \(units.last ?? 0), but code is \(code)")
        } else {
            try require("hidden", hidden, atMost: 1 << 14)
            try require(stages: widths, "widths")
            if kind.hasDecoder { try require(stages: decoderWidths, "decoder_widths") }
        }
    }

    private func require(stages widths: [Int], _ name: String) throws {
        try require(!widths.isEmpty && widths.count <= 6, "\(name) has \(widths.count) stages, expected 1…6")
        for width in widths { try require(name, width, atMost: 1 << 12) }
        try require(
            side % (1 << widths.count) == 0,
            "a side of \(side) cannot be halved \(widths.count) times; \(name) has that many stages")
    }
}
