import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Images

/// Small images that `Fixtures/make.py` wrote, and what Pillow decodes them to.
enum Fixture {
    static let folder = Golden.packageRoot.appending(path: "Tests/ImagesTests/Fixtures")

    static func bytes(_ name: String) throws -> Data { try Data(contentsOf: folder.appending(path: name)) }

    static func expected(_ name: String) throws -> RGBImage {
        try rgb(name, in: Safetensors(folder.appending(path: "expected.safetensors")))
    }

    /// A tensor `[height, width, 3]` of bytes.
    static func rgb(_ name: String, in file: Safetensors) throws -> RGBImage {
        let shape = try #require(file.entries[name], "no tensor \(name)").shape
        return RGBImage(width: shape[1], height: shape[0], pixels: try file.integers(name).map { UInt8($0) })
    }
}

/// nil when the images agree within `tolerance` levels; else the worst pixel.
func disagreement(_ actual: RGBImage, _ expected: RGBImage, tolerance: Int) -> String? {
    guard actual.width == expected.width, actual.height == expected.height else {
        return "\(actual.width) × \(actual.height), expected \(expected.width) × \(expected.height)"
    }
    let gaps = zip(actual.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }
    guard let worst = gaps.indices.max(by: { gaps[$0] < gaps[$1] }), gaps[worst] > tolerance else { return nil }
    let pixel = worst / 3
    return
        "row \(pixel / actual.width), column \(pixel % actual.width), channel \(worst % 3): \(actual.pixels[worst]), expected "
        + "\(expected.pixels[worst]), tolerance \(tolerance)"
}
