import Foundation
import Testing

@testable import Images

@Suite("Preprocessing of images")
struct PreprocessingTests {
    private static let clip: [String: any Sendable] = [
        "image_processor_type": "CLIPImageProcessor", "do_resize": true, "size": ["shortest_edge": 24] as [String: Int],
        "resample": 3,
        "do_center_crop": true, "crop_size": ["height": 20, "width": 16], "do_rescale": true,
        "rescale_factor": 1.0 / 255,
        "do_normalize": true, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.25, 0.3],
    ]

    private func read(_ changes: [String: (any Sendable)?]) throws -> ImagePreprocessing {
        var configuration = Self.clip
        for (key, value) in changes { configuration[key] = value }
        return try ImagePreprocessing(processor: JSONSerialization.data(withJSONObject: configuration))
    }

    @Test("an image smaller than the crop gets black around it")
    func padding() throws {
        let preprocessing = try read(["do_resize": false])
        let image = RGBImage(width: 5, height: 30, pixels: [UInt8](repeating: 200, count: 450))
        let fitted = preprocessing.fitted(image)
        #expect(fitted.width == 16 && fitted.height == 20)
        // Six columns before, five of the image, five after.
        for row in 0..<20 {
            let reds = (0..<16).map { fitted.pixels[(row * 16 + $0) * 3] }
            #expect(
                reds == [UInt8](repeating: 0, count: 6) + [UInt8](repeating: 200, count: 5)
                    + [UInt8](repeating: 0, count: 5))
        }
    }

    @Test("channels come last or first, with the same values")
    func layout() throws {
        let preprocessing = try read([:])
        let image = RGBImage(width: 3, height: 2, pixels: (0..<18).map { UInt8($0 * 14) })
        let last = preprocessing.channelsLast(image), first = preprocessing.channelsFirst(image)
        #expect(last.count == 20 * 16 * 3 && first.count == last.count)
        for pixel in 0..<320 {
            for channel in 0..<3 { #expect(last[pixel * 3 + channel] == first[channel * 320 + pixel]) }
        }
    }

    @Test("a strip of one pixel's width costs no more than the crop")
    func strip() throws {
        let fitted = try read([:]).fitted(
            RGBImage(width: 60_000, height: 1, pixels: [UInt8](repeating: 9, count: 180_000)))
        #expect(fitted.width == 16 && fitted.height == 20)
    }

    @Test(
        "what older versions wrote is understood",
        arguments: [
            ("ViTFeatureExtractor", 224), ("ConvNextFeatureExtractor", 224), ("ConvNextImageProcessorFast", 384),
        ])
    func older(_ type: String, _ side: Int) throws {
        let preprocessing = try read([
            "image_processor_type": nil, "feature_extractor_type": type, "size": side, "crop_size": nil,
            "do_center_crop": nil,
        ])
        #expect(preprocessing.outputSize == .init(height: side, width: side))
        if type == "ConvNextFeatureExtractor" { #expect(preprocessing.resize == .shortestEdge(256)) }
        if side == 384 { #expect(preprocessing.resize == .exactly(height: 384, width: 384)) }
    }

    @Test(
        "what cannot be is refused by name",
        arguments: [
            ("image_processor_type", "LevitImageProcessor" as any Sendable, "LevitImageProcessor"),
            ("resample", 9, "resample"),
            ("size", ["height": 3], "size"), ("size", 0, "0 pixels"), ("size", 1_000_000, "1000000"),
            ("image_mean", [0.5], "1 means"), ("image_std", [0.0, 1, 1], "normalises"),
            ("rescale_factor", 0, "rescales"),
            ("do_center_crop", false, "different sizes"),
        ])
    func refused(_ key: String, _ value: any Sendable, _ word: String) throws {
        let error = #expect(throws: ImageError.self) { try read([key: value]) }
        #expect(
            error?.code == .invalidConfiguration && error?.message.contains(word) == true,
            "\(String(describing: error))")
    }

    @Test(
        "what the result depends on is required",
        arguments: [
            "image_processor_type", "size", "resample", "crop_size", "image_mean", "image_std",
        ])
    func required(_ key: String) throws {
        let error = #expect(throws: ImageError.self) { try read([key: nil]) }
        #expect(
            error?.code == .invalidConfiguration && error?.message.contains(key) == true, "\(String(describing: error))"
        )
    }

    @Test(
        "the description changes with each step",
        arguments: [
            ("size", 25 as any Sendable), ("resample", 2), ("crop_size", 20), ("rescale_factor", 0.5),
            ("image_mean", [0, 0.4, 0.3]),
            ("image_std", [0.2, 0.25, 0.31]), ("do_normalize", false), ("do_resize", false), ("do_rescale", false),
        ])
    func description(_ key: String, _ value: any Sendable) throws {
        #expect(try read([key: value]).description != read([:]).description)
        #expect(try read([:]).description == read([:]).description)
    }

    @Test("the phrases of a model's own config.json are read")
    func modelCard() throws {
        func read(_ steps: String) throws -> ImagePreprocessing? {
            try ImagePreprocessing(
                modelConfiguration: Data(#"{"input_size": [3, 32, 30], "preprocessing": \#(steps)}"#.utf8))
        }
        let none =
            #"{"decode": "RGB", "resize": null, "crop": null, "scale": "(x/255 - mean)/std", "mean": [0,0,0], "std": [1,1,1]}"#
        #expect(try read(none)?.outputSize == .init(height: 32, width: 30))
        let crop = #"{"resize": "shortest side to 40, bicubic", "crop": "centre 36x35", "scale": "x/127.5 - 1"}"#
        let preprocessing = try #require(try read(crop))
        #expect(preprocessing.resize == .shortestEdge(40) && preprocessing.crop == .init(height: 36, width: 35))
        #expect(preprocessing.filter == .bicubic)
        let black = preprocessing.channelsLast(RGBImage(width: 1, height: 1, pixels: [0, 255, 51]))
        #expect(black[0] == -1 && black[1] == 1 && abs(black[2] + 0.6) < 1e-6, "\(black.prefix(3))")
        #expect(try ImagePreprocessing(modelConfiguration: Data("{}".utf8)) == nil)
        for wrong in [
            #"{"resize": "squash to 40", "scale": "x/127.5 - 1"}"#, #"{"crop": "left", "scale": "x/127.5 - 1"}"#,
            #"{"scale": "x"}"#, #"{"decode": "BGR", "scale": "x/127.5 - 1"}"#, "3",
        ] {
            #expect(throws: ImageError.self, "\(wrong)") { try read(wrong) }
        }
    }
}
