import Foundation
import Testing

@testable import Images

@Suite("Damaged images")
struct DamagedImageTests {
    static let names = [
        "gray.jpg", "progressive.jpg", "cmyk.jpg", "orientation_6.jpg", "rgb.png", "palette.png", "interlaced.png",
        "rgb16.png",
        "lossless.webp", "lossy.webp", "alpha.webp", "orientation_6.webp", "orientation_6.png",
    ]

    @Test("a file cut short anywhere is an error, never an image", arguments: names)
    func truncation(_ name: String) throws {
        let bytes = try Fixture.bytes(name)
        for count in 0..<bytes.count {
            let error = #expect(throws: ImageError.self, "\(name) cut to \(count) of \(bytes.count) bytes") {
                try RGBImage(decoding: bytes.prefix(count))
            }
            #expect(error.map { !$0.message.isEmpty } ?? true)
        }
    }

    @Test("changed bytes give an error or some image within the limits, never a crash", arguments: names)
    func mutation(_ name: String) throws {
        let bytes = [UInt8](try Fixture.bytes(name))
        var random = SplitMix(state: UInt64(bytes.count))
        let limits = ImageLimits(pixels: 1 << 20)
        var decoded = 0, refused = 0
        for _ in 0..<1_500 {
            var changed = bytes
            for _ in 0...Int(random.next() % 4) {
                let at = Int(random.next() % UInt64(changed.count))
                switch random.next() % 4 {
                case 0: changed[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: changed[at] ^= 1 << UInt8(random.next() % 8)
                case 2: changed[at] = random.next() % 2 == 0 ? 0xff : 0
                default:
                    let length = min(Int(random.next() % 16) + 1, changed.count - at)
                    if random.next() % 2 == 0, changed.count > length + 1 {
                        changed.removeSubrange(at..<at + length)
                    } else {
                        changed.insert(contentsOf: changed[at..<at + length], at: at)
                    }
                }
            }
            do {
                let image = try RGBImage(decoding: Data(changed), limits: limits)
                #expect(image.pixels.count == image.width * image.height * 3)
                decoded += 1
            } catch {
                #expect(!(error as ImageError).message.isEmpty)
                refused += 1
            }
        }
        #expect(decoded + refused == 1_500 && refused > 0, "\(name): \(decoded) decoded, \(refused) refused")
    }

    @Test("EXIF blocks of any content leave the image as it is or turn it")
    func exifMutation() throws {
        let bytes = [UInt8](try Fixture.bytes("orientation_6.jpg"))
        let start = try #require(bytes.firstRange(of: Array("Exif".utf8))).lowerBound
        var random = SplitMix(state: 5)
        for _ in 0..<3_000 {
            var changed = bytes
            for _ in 0...Int(random.next() % 3) {
                changed[start + Int(random.next() % 32)] = UInt8(truncatingIfNeeded: random.next())
            }
            let image = try RGBImage(decoding: Data(changed))
            #expect([image.width, image.height].sorted() == [18, 25])
        }
    }
}

/// Steele, Lea and Flood 2014: the same numbers on every machine.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
