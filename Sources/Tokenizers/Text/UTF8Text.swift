/// Conversions between UTF-8 and arrays of Unicode scalars.
///
/// Tokenisation works on scalars and bytes throughout: a Swift `Character` is a grapheme cluster, and two strings that
/// are canonically equivalent compare equal, whereas a vocabulary tells them apart.
enum UTF8Text {
    /// Appends the UTF-8 of a scalar value.
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        switch scalar {
        case 0..<0x80:
            bytes.append(UInt8(scalar))
        case 0x80..<0x800:
            bytes.append(0xC0 | UInt8(scalar >> 6))
            bytes.append(0x80 | UInt8(scalar & 0x3F))
        case 0x800..<0x10000:
            bytes.append(0xE0 | UInt8(scalar >> 12))
            bytes.append(0x80 | UInt8(scalar >> 6 & 0x3F))
            bytes.append(0x80 | UInt8(scalar & 0x3F))
        default:
            bytes.append(0xF0 | UInt8(scalar >> 18))
            bytes.append(0x80 | UInt8(scalar >> 12 & 0x3F))
            bytes.append(0x80 | UInt8(scalar >> 6 & 0x3F))
            bytes.append(0x80 | UInt8(scalar & 0x3F))
        }
    }

    /// The scalar of valid UTF-8 that starts at `at`, which moves behind it.
    static func next(_ bytes: ArraySlice<UInt8>, _ at: inout Int) -> UInt32 {
        let first = UInt32(bytes[at])
        at += 1
        if first < 0x80 { return first }
        let length = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3
        var scalar = first & (0x3F >> UInt32(length))
        for _ in 0..<length {
            scalar = scalar << 6 | UInt32(bytes[at]) & 0x3F
            at += 1
        }
        return scalar
    }

    /// The scalars of a string.
    static func scalars(_ text: String) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars { result.append(scalar.value) }
        return result
    }

    /// The UTF-8 of scalars.
    static func bytes(_ scalars: [UInt32]) -> [UInt8] {
        var result: [UInt8] = []
        for scalar in scalars { append(scalar, to: &result) }
        return result
    }
}
