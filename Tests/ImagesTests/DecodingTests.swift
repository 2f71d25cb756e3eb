import Foundation
import Testing

@testable import Images

@Suite("Decoding images")
struct DecodingTests {
    @Test(
        "every kind of file becomes the pixels Pillow sees",
        arguments: [
            // JPEG decoders may round differently, and lossy WebP is rounded twice.
            ("gray.jpg", 2), ("progressive.jpg", 2), ("subsampled.jpg", 3), ("cmyk.jpg", 2), ("ycck.jpg", 2),
            ("stray_bytes.jpg", 2),
            ("rgb.png", 0), ("gray.png", 0), ("gray_alpha.png", 0), ("bilevel.png", 0), ("rgba.png", 0),
            ("palette.png", 0),
            ("rgb16.png", 0), ("gray16.png", 0), ("gamma.png", 0), ("interlaced.png", 0),
            ("lossless.webp", 0), ("lossy.webp", 2), ("alpha.webp", 2), ("alpha_lossless.webp", 0),
        ])
    func kinds(_ name: String, _ tolerance: Int) throws {
        let worst = disagreement(
            try RGBImage(decoding: Fixture.bytes(name)), try Fixture.expected(name), tolerance: tolerance)
        #expect(worst == nil, "\(name): \(worst ?? "")")
    }

    @Test("an image stands upright whatever its EXIF orientation", arguments: 1...8)
    func orientation(_ value: Int) throws {
        let name = "orientation_\(value).jpg"
        let worst = disagreement(try RGBImage(decoding: Fixture.bytes(name)), try Fixture.expected(name), tolerance: 2)
        #expect(worst == nil, "\(name): \(worst ?? "")")
        let stored = try RGBImage(decoding: Fixture.bytes(name), upright: false)
        #expect(stored.width == 25 && stored.height == 18)
    }

    @Test(
        "the orientation is found in PNG and WebP files, too", arguments: ["orientation_6.png", "orientation_6.webp"])
    func orientationElsewhere(_ name: String) throws {
        let worst = disagreement(try RGBImage(decoding: Fixture.bytes(name)), try Fixture.expected(name), tolerance: 0)
        #expect(worst == nil, "\(name): \(worst ?? "")")
    }

    @Test("a header tells format and size without decoding")
    func header() throws {
        for (name, format) in [("rgb.png", ImageFormat.png), ("gray.jpg", .jpeg), ("lossy.webp", .webp)] {
            let header = try Fixture.bytes(name).withUnsafeBytes { try ImageHeader($0) }
            #expect(header.format == format && header.width == 25 && header.height == 18, "\(name)")
        }
    }

    @Test(
        "a header that promises too much is refused before memory is taken",
        arguments: ["bomb.png", "bomb.jpg", "bomb.webp"])
    func bombs(_ name: String) throws {
        let error = #expect(throws: ImageError.self) { try RGBImage(decoding: Fixture.bytes(name)) }
        #expect(
            error?.code == .tooLarge && error?.message.contains("pixels") == true,
            "\(name): \(String(describing: error))")
    }

    @Test("a progressive file of three hundred scans is refused")
    func scans() throws {
        let error = #expect(throws: ImageError.self) { try RGBImage(decoding: Fixture.bytes("scans.jpg")) }
        #expect(error?.code == .tooLarge && error?.message.contains("scans") == true, "\(String(describing: error))")
    }

    @Test("limits are the caller's")
    func limits() throws {
        let bytes = try Fixture.bytes("rgb.png")
        #expect(throws: ImageError.self) { try RGBImage(decoding: bytes, limits: ImageLimits(pixels: 449)) }
        #expect(throws: ImageError.self) { try RGBImage(decoding: bytes, limits: ImageLimits(bytes: bytes.count - 1)) }
        #expect(try RGBImage(decoding: bytes, limits: ImageLimits(pixels: 450, bytes: bytes.count)).width == 25)
    }

    @Test(
        "what is no image is named",
        arguments: [
            ("", ImageError.Code.truncated, "empty"), ("hello", .notAnImage, "not an image"),
            ("GIF89a…", .unsupported, "GIF"),
            ("BM……", .unsupported, "BMP"), ("II*\0", .unsupported, "TIFF"), ("<svg/>", .unsupported, "SVG"),
            ("PK\u{3}\u{4}", .notAnImage, "ZIP"), ("RIFF....WAVE", .notAnImage, "not an image"),
            ("%PDF-1.4", .notAnImage, "PDF"),
        ])
    func otherFiles(_ text: String, _ code: ImageError.Code, _ word: String) {
        let error = #expect(throws: ImageError.self) { try RGBImage(decoding: Data(text.utf8)) }
        #expect(error?.code == code && error?.message.contains(word) == true, "\(String(describing: error))")
    }

    @Test("an animation is refused by name")
    func animation() throws {
        let error = #expect(throws: ImageError.self) { try RGBImage(decoding: Fixture.bytes("animated.webp")) }
        #expect(
            error?.code == .unsupported && error?.message.contains("animation") == true, "\(String(describing: error))")
    }
}
