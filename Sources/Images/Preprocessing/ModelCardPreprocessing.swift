package import Foundation

extension ImagePreprocessing {
    /// Reads the object `preprocessing` of a `config.json`, which describes the steps in a few fixed phrases:
    ///
    ///     "resize": null, or "shortest side to 256, bilinear …"
    ///     "crop": null, or "centre 224x224"
    ///     "scale": "(x/255 - mean)/std", or "x/127.5 - 1"
    ///
    /// Without resizing and cropping, images are expected in the network's `input_size` `[3, height, width]`, and others are
    /// brought to it.
    ///
    /// - Returns: nil when the configuration has no such object.
    /// - Throws: `ImageError.invalidConfiguration` naming the phrase that is not understood.
    package init?(modelConfiguration json: Data) throws(ImageError) {
        let card: ModelCard
        do {
            card = try JSONDecoder().decode(ModelCard.self, from: json)
        } catch {
            throw ImageError(.invalidConfiguration, "config.json: \"preprocessing\" is malformed", cause: error)
        }
        guard let steps = card.preprocessing else { return nil }
        func refuse(_ key: String, _ value: String) -> ImageError {
            ImageError(
                .invalidConfiguration, "config.json: \"preprocessing.\(key)\" is \"\(value)\", which is not understood")
        }
        guard steps.decode ?? "RGB" == "RGB" else { throw refuse("decode", steps.decode ?? "") }
        var resize: Resize?, crop: Size?, filter = ResamplingFilter.bilinear
        if let phrase = steps.resize {
            guard let match = phrase.wholeMatch(of: /shortest side to (\d{1,5}), ([a-z]+)\b.*/),
                let edge = Int(match.1),
                let known = ResamplingFilter(rawValue: String(match.2))
            else { throw refuse("resize", phrase) }
            (resize, filter) = (.shortestEdge(edge), known)
        }
        if let phrase = steps.crop {
            guard let match = phrase.wholeMatch(of: /centre (\d{1,5})x(\d{1,5})/), let height = Int(match.1),
                let width = Int(match.2)
            else { throw refuse("crop", phrase) }
            crop = Size(height: height, width: width)
        }
        if resize == nil, crop == nil {
            guard let size = card.input_size, size.count == 3 else {
                throw ImageError(
                    .invalidConfiguration,
                    "config.json: neither \"preprocessing\" nor \"input_size\" says how large images are")
            }
            resize = .exactly(height: size[1], width: size[2])
        }
        let scale: Double, mean: [Double], std: [Double]
        switch steps.scale {
        case "(x/255 - mean)/std": (scale, mean, std) = (1 / 255, steps.mean ?? [], steps.std ?? [])
        case "x/127.5 - 1": (scale, mean, std) = (1 / 127.5, [1, 1, 1], [1, 1, 1])
        default: throw refuse("scale", steps.scale)
        }
        do throws(ImageError) {
            try self.init(resize: resize, filter: filter, crop: crop, scale: scale, mean: mean, std: std)
        } catch {
            throw ImageError(error.code, "config.json: \"preprocessing\" \(error.message)")
        }
    }
}

private struct ModelCard: Decodable {
    struct Steps: Decodable {
        var decode: String?
        var resize: String?
        var crop: String?
        var scale: String
        var mean: [Double]?
        var std: [Double]?
    }

    var preprocessing: Steps?
    var input_size: [Int]?
}
