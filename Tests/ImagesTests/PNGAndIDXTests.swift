import Foundation
import TestSupport
import Testing

@testable import Images

@Suite("PNG files that are written, IDX files that are read")
struct PNGAndIDXTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test("What is written is read back to the last bit, and the same pixels give the same bytes", arguments: [(1, 1), (7, 3), (640, 5)])
    func roundTrip(_ width: Int, _ height: Int) throws {
        let image = RGBImage(width: width, height: height, pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / 3) })
        let file = try image.png()
        #expect(try RGBImage(decoding: file) == image)
        #expect(try image.png() == file)
    }

    private static func header(_ magic: UInt32, _ extents: [UInt32]) -> Data {
        Data(([magic] + extents).flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) } })
    }

    private func write(_ name: String, _ data: Data) throws -> URL {
        let url = folder.url.appending(path: name)
        try data.write(to: url)
        return url
    }

    @Test("Images of an IDX file come in its order, with the labels of the file beside it")
    func images() throws {
        let url = try write("t-images-idx3-ubyte", Self.header(0x803, [2, 2, 3]) + Data([0, 50, 100, 150, 200, 250, 1, 2, 3, 4, 5, 6]))
        _ = try write("t-labels-idx1-ubyte", Self.header(0x801, [2]) + Data([7, 0]))
        #expect(ImageCollections.isArchive(url))
        let collection = try ImageCollections.open(url)
        let first = try #require(try collection.next()), second = try #require(try collection.next())
        #expect(first.label == "7" && second.label == "0" && first.name == "row 1")
        let pixels = try RGBImage(decoding: first.bytes)
        #expect(pixels.width == 3 && pixels.height == 2)
        #expect(stride(from: 0, to: 18, by: 3).map { pixels.pixels[$0] } == [0, 50, 100, 150, 200, 250])
        #expect(try collection.next() == nil)
    }

    @Test(
        "A file that is cut short, of another kind, or with labels of another number is refused",
        arguments: [("cut", "claims 2 images"), ("labels", "not an IDX file"), ("fewer", "2 labels"), ("none", "not there")])
    func damage(_ kind: String, _ word: String) throws {
        let name = "\(kind)-images-idx3-ubyte"
        switch kind {
        case "cut": _ = try write(name, Self.header(0x803, [2, 2, 3]) + Data([1, 2, 3]))
        case "labels": _ = try write(name, Self.header(0x801, [2]) + Data([7, 0]) + Data(count: 8))
        case "fewer":
            _ = try write(name, Self.header(0x803, [2, 1, 1]) + Data([1, 2]))
            _ = try write("fewer-labels-idx1-ubyte", Self.header(0x801, [1]) + Data([7]))
        default: break
        }
        let error = #expect(throws: ImageError.self) { try ImageCollections.open(folder.url.appending(path: name)) }
        #expect(error?.message.contains(word) == true, "\(String(describing: error))")
    }
}
