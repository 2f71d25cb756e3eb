import Digests
package import Encoders

/// The address of one input in the feature cache: the first 16 bytes of its SHA-256, as two big-endian words.
///
/// 128 bits: among 10⁹ inputs the chance of any two sharing an address is below 10⁻²⁰.
package struct InputDigest: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Digest of the text's UTF-8 bytes, exactly as given: no normalisation.
    package init(text: String) {
        var text = text
        self = text.withUTF8 { InputDigest(bytes: UnsafeRawBufferPointer($0)) }
    }

    package init(of input: EncoderInput) {
        switch input {
        case .text(let text): self.init(text: text)
        case .image(let file): self = file.digest.withUnsafeBytes { InputDigest(sha256: $0) }
        }
    }

    /// Digest of any other input: samples of an image, of audio, token ids.
    package init(bytes: UnsafeRawBufferPointer) {
        self = MessageDigest.sha256(bytes).withUnsafeBytes { InputDigest(sha256: $0) }
    }

    /// The first half of a SHA-256.
    private init(sha256 digest: UnsafeRawBufferPointer) {
        self.init(
            high: UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
            low: UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}
