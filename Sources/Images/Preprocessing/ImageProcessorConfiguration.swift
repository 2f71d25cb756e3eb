package import Foundation

extension ImagePreprocessing {
    /// Reads the `preprocessor_config.json` of a Hugging Face image processor.
    /// - Throws: `ImageError.invalidConfiguration`: an unknown processor, an absent or an unusable value, by name.
    package init(processor json: Data) throws(ImageError) {
        let file = "preprocessor_config.json"
        do throws(ImageError) {
            let configuration = try ImageProcessorConfiguration.decoded(json)
            try self.init(configuration)
        } catch {
            throw ImageError(error.code, "\(file): \(error.message)", cause: error.cause)
        }
    }

    private init(_ configuration: ImageProcessorConfiguration) throws(ImageError) {
        let kind = try configuration.kind()
        let resizes = configuration.do_resize ?? true
        var resize: Resize?, crop: Size?, filter = ResamplingFilter.bilinear
        if resizes {
            let number = try configuration.required(configuration.resample, "resample")
            guard let known = ResamplingFilter(pillow: number) else {
                throw ImageError(.invalidConfiguration, "\"resample\" is \(number), expected 0…5")
            }
            filter = known
            (resize, crop) = try kind.resize(configuration)
        }
        if kind.crops, configuration.do_center_crop ?? true {
            crop = try configuration.required(configuration.crop_size, "crop_size").size(default: .square)
        }
        let rescales = configuration.do_rescale ?? true, normalises = configuration.do_normalize ?? true
        try self.init(
            resize: resize, filter: filter, crop: crop, scale: rescales ? configuration.rescale_factor ?? 1 / 255 : 1,
            mean: normalises ? try configuration.required(configuration.image_mean, "image_mean") : [0, 0, 0],
            std: normalises ? try configuration.required(configuration.image_std, "image_std") : [1, 1, 1])
    }
}

/// The keys of a `preprocessor_config.json` that decide the result.
private struct ImageProcessorConfiguration: Decodable {
    var image_processor_type: String?
    /// What the type was called before transformers 4.26.
    var feature_extractor_type: String?
    var do_resize: Bool?
    var size: Extent?
    var crop_pct: Double?
    var resample: Int?
    var do_center_crop: Bool?
    var crop_size: Extent?
    var do_rescale: Bool?
    var rescale_factor: Double?
    var do_normalize: Bool?
    var image_mean: [Double]?
    var image_std: [Double]?

    /// `224`, `{"shortest_edge": 224}` or `{"height": 224, "width": 224}`.
    struct Extent: Decodable {
        enum Form { case square, shortestEdge }

        var number: Int?
        var shortest: Int?
        var height: Int?
        var width: Int?

        private enum CodingKeys: String, CodingKey {
            case shortest = "shortest_edge"
            case height, width
        }

        init(from decoder: any Decoder) throws {
            do {
                number = try decoder.singleValueContainer().decode(Int.self)
                return
            } catch DecodingError.typeMismatch {
                // An object, then.
            }
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            shortest = try keys.decodeIfPresent(Int.self, forKey: .shortest)
            height = try keys.decodeIfPresent(Int.self, forKey: .height)
            width = try keys.decodeIfPresent(Int.self, forKey: .width)
        }

        /// - Parameter form: what a plain number means.
        func resize(default form: Form) throws(ImageError) -> ImagePreprocessing.Resize {
            switch (number, shortest, height, width) {
            case (let side?, nil, nil, nil): form == .square ? .exactly(height: side, width: side) : .shortestEdge(side)
            case (nil, let edge?, nil, nil): .shortestEdge(edge)
            case (nil, nil, let height?, let width?): .exactly(height: height, width: width)
            default:
                throw ImageError(
                    .invalidConfiguration, "a size has neither \"shortest_edge\" nor \"height\" and \"width\" alone")
            }
        }

        func size(default form: Form) throws(ImageError) -> ImagePreprocessing.Size {
            switch try resize(default: form) {
            case .exactly(let height, let width): return .init(height: height, width: width)
            case .shortestEdge(let edge): return .init(height: edge, width: edge)
            }
        }
    }

    static func decoded(_ json: Data) throws(ImageError) -> ImageProcessorConfiguration {
        do {
            return try JSONDecoder().decode(Self.self, from: json)
        } catch {
            throw ImageError(.invalidConfiguration, "is not an image processor's configuration", cause: error)
        }
    }

    func required<Value>(_ value: Value?, _ key: String) throws(ImageError) -> Value {
        guard let value else { throw ImageError(.invalidConfiguration, "\"\(key)\" is missing") }
        return value
    }

    /// The processors that are known, by the name without its ending.
    enum Kind: String {
        case vit = "ViT"
        case deit = "DeiT"
        case siglip = "Siglip"
        case clip = "CLIP"
        case bit = "Bit"
        case mobileNetV1 = "MobileNetV1"
        case mobileNetV2 = "MobileNetV2"
        case convNext = "ConvNext"

        /// Whether `do_center_crop` means anything.
        var crops: Bool {
            switch self {
            case .vit, .siglip, .convNext: false
            case .deit, .clip, .bit, .mobileNetV1, .mobileNetV2: true
            }
        }

        func resize(
            _ configuration: ImageProcessorConfiguration
        ) throws(ImageError) -> (ImagePreprocessing.Resize, ImagePreprocessing.Size?) {
            let extent = try configuration.required(configuration.size, "size")
            switch self {
            case .vit, .deit, .siglip: return (try extent.resize(default: .square), nil)
            case .clip, .bit, .mobileNetV1, .mobileNetV2: return (try extent.resize(default: .shortestEdge), nil)
            case .convNext:
                // Below 384, `crop_pct` of the image is kept; from there on all of it, out of proportion.
                guard case .shortestEdge(let edge) = try extent.resize(default: .shortestEdge) else {
                    throw ImageError(.invalidConfiguration, "\"size\" has to be a \"shortest_edge\"")
                }
                guard edge < 384 else { return (.exactly(height: edge, width: edge), nil) }
                let share = configuration.crop_pct ?? 224 / 256
                guard share > 0, share <= 1 else {
                    throw ImageError(
                        .invalidConfiguration, "\"crop_pct\" is \(share), expected more than 0 and at most 1")
                }
                let enlarged = Double(edge) / share
                guard enlarged <= Double(ImagePreprocessing.largestSide) else {
                    throw ImageError(
                        .invalidConfiguration, "\"crop_pct\" is \(share), too small for images of \(edge) pixels")
                }
                return (.shortestEdge(Int(enlarged)), .init(height: edge, width: edge))
            }
        }
    }

    func kind() throws(ImageError) -> Kind {
        let type = try required(image_processor_type ?? feature_extractor_type, "image_processor_type")
        for ending in ["ImageProcessor", "ImageProcessorFast", "FeatureExtractor"] where type.hasSuffix(ending) {
            if let kind = Kind(rawValue: String(type.dropLast(ending.count))) { return kind }
        }
        throw ImageError(
            .invalidConfiguration,
            "\"image_processor_type\" is \"\(type)\"; supported are those of ViT, DeiT, Siglip, CLIP, Bit, MobileNetV1, MobileNetV2 "
                + "and ConvNext")
    }
}
