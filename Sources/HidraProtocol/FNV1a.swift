/// FNV-1a, 32 bit (http://www.isthe.com/chongo/tech/comp/fnv): short names for paths, digests against oversights.
/// No protection against intent.
package struct FNV1a: Sendable {
    package private(set) var value: UInt32 = 0x811C_9DC5

    package init() {}

    package mutating func update(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt32(byte)) &* 0x0100_0193 }
    }

    /// Eight lower-case hexadecimal digits.
    package var hexadecimal: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
