import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@testable import Images

@Suite("Golden: images", .enabled(if: Golden.has("preprocessing"), "no reference values at HIDRA_GOLDEN"))
struct GoldenImageTests {
    static let cases = Golden.cases("preprocessing")
    static let decoding = cases.filter { $0.op == "decode to RGB" }
    static let resizing = cases.filter { $0.op == "resize" }
    static let processing = cases.filter { $0.op == "image processor" }

    /// Grey levels a tensor of bytes may be off.
    private func levels(_ golden: GoldenCase, _ tensor: String) -> Int { Int(golden.tolerance(tensor).absolute) }

    @Test("files decode to the reference's pixels", arguments: decoding)
    func decode(_ golden: GoldenCase) throws {
        let file = try golden.open()
        let bytes = try Data(contentsOf: golden.folder.appending(path: #require(golden.fields["image"] as? String)))
        for (tensor, upright) in [("decoded", false), ("upright", true)] where file.entries[tensor] != nil {
            let worst = disagreement(
                try RGBImage(decoding: bytes, upright: upright), try Fixture.rgb(tensor, in: file),
                tolerance: levels(golden, tensor))
            #expect(worst == nil, "\(golden.name) \(tensor): \(worst ?? "")")
        }
    }

    @Test("resizing equals Pillow's", arguments: resizing)
    func resize(_ golden: GoldenCase) throws {
        let file = try golden.open(), image = try Fixture.rgb("image", in: file)
        let names = try #require(golden.attributes["filters"] as? [String])
        #expect(!names.isEmpty)
        for name in names {
            let expected = try Fixture.rgb(name, in: file)
            let resized = image.resized(
                width: expected.width, height: expected.height, filter: try #require(ResamplingFilter(rawValue: name)))
            // One level for Pillows that take the passes in another order; nothing for the one the fixtures were made with.
            let worst = disagreement(resized, expected, tolerance: levels(golden, name))
            #expect(worst == nil, "\(golden.name) \(name): \(worst ?? "")")
        }
    }

    /// The image a processor starts from, or its file where the case has only that.
    private func image(_ golden: GoldenCase, _ file: Safetensors) throws -> RGBImage {
        if file.entries["image"] != nil { return try Fixture.rgb("image", in: file) }
        let source = try #require(golden.attributes["source"] as? String)
        return try RGBImage(decoding: Data(contentsOf: golden.folder.appending(path: source)), upright: false)
    }

    @Test("processors give the reference's pixels at every step", arguments: processing)
    func process(_ golden: GoldenCase) throws {
        let file = try golden.open(), image = try self.image(golden, file)
        let path = try #require(golden.fields["processor"] as? String)
        let preprocessing = try ImagePreprocessing(processor: Data(contentsOf: golden.folder.appending(path: path)))
        if file.entries["resized"] != nil {
            let size = preprocessing.resizedSize(height: image.height, width: image.width)
            let worst = disagreement(
                image.resized(width: size.width, height: size.height, filter: preprocessing.filter),
                try Fixture.rgb("resized", in: file), tolerance: levels(golden, "resized"))
            #expect(worst == nil, "\(golden.name) resized: \(worst ?? "")")
        }
        if file.entries["cropped"] != nil {
            let worst = disagreement(
                preprocessing.fitted(image), try Fixture.rgb("cropped", in: file), tolerance: levels(golden, "cropped"))
            #expect(worst == nil, "\(golden.name) cropped: \(worst ?? "")")
        }
        let actual = preprocessing.channelsFirst(image), expected = try file.tensor("pixel_values").values
        let (absolute, relative) = golden.tolerance("pixel_values")
        // Our resizing is Pillow's to the bit; the manifest's allowance is for references that another version made.
        let exact = zip(actual, expected).count { abs($0 - $1) <= absolute + relative * abs($1) }
        #expect(exact * 100 >= expected.count * 99, "\(golden.name): \(exact) of \(expected.count) within \(absolute)")
        let entry = (golden.fields["tensors"] as? [String: [String: Any]])?["pixel_values"] ?? [:]
        let allowance = Float(entry["atol_one_level"] as? Double ?? Double(absolute))
        let worst = difference(actual, expected, absolute: allowance, relative: relative)
        #expect(worst.isWithinTolerance, "\(golden.name) pixel_values: \(worst)")
    }
}
