package import Foundation

/// Writes small PNG files without a library: pixels stored, not compressed (RFC 1950, 1951; PNG specification, 12.11).
package enum TinyPNG {
    /// - Parameter rgb: `[height, width, 3]`, at most 20,000 bytes.
    package static func encode(width: Int, height: Int, rgb: [UInt8]) -> Data {
        precondition(rgb.count == width * height * 3 && rgb.count <= 20_000)
        var rows: [UInt8] = []
        for row in 0..<height { rows += [0] + rgb[row * width * 3..<(row + 1) * width * 3] }
        let length = UInt16(rows.count)
        var stream: [UInt8] = [
            0x78, 0x01, 1, UInt8(length & 0xff), UInt8(length >> 8), UInt8(~length & 0xff), UInt8(~length >> 8),
        ]
        stream += rows + bigEndian(adler(rows))
        let header = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, 2, 0, 0, 0]
        return Data(
            [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + chunk("IHDR", header) + chunk("IDAT", stream)
                + chunk("IEND", []))
    }

    /// One colour all over, a little different from image to image.
    package static func colour(_ rgb: (UInt8, UInt8, UInt8), size: Int, number: Int) -> Data {
        let pixels = (0..<size * size).flatMap { position -> [UInt8] in
            let shade = UInt8((position &* 7 &+ number &* 13) % 32)
            return [rgb.0 / 2 + shade, rgb.1 / 2 + shade, rgb.2 / 2 + shade]
        }
        return encode(width: size, height: size, rgb: pixels)
    }

    private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + data
        return bigEndian(UInt32(data.count)) + body + bigEndian(crc(body))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ (value >> 1) : value >> 1 }
        }
    }

    private static func adler(_ bytes: [UInt8]) -> UInt32 {
        let (a, b) = bytes.reduce((UInt32(1), UInt32(0))) { sums, byte in
            let a = (sums.0 + UInt32(byte)) % 65_521
            return (a, (sums.1 + a) % 65_521)
        }
        return b << 16 | a
    }
}
