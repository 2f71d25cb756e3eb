import Digests
import Testing

/// Expected values: FIPS 180-4 examples, and git's name for an empty file.
@Suite("Digests")
struct MessageDigestTests {
    @Test("SHA-256 of the standard's examples", arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func sha256(_ text: String, _ expected: String) { #expect(MessageDigest.sha256(text.utf8).hexadecimal == expected) }

    @Test("a digest does not depend on how the bytes are cut")
    func pieces() {
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var digest = MessageDigest(.sha256)
        for start in stride(from: 0, to: bytes.count, by: 777) { digest.update(bytes[start..<min(start + 777, bytes.count)]) }
        #expect(digest.finalize() == MessageDigest.sha256(bytes))
    }

    @Test("SHA-1 as git uses it")
    func git() {
        var digest = MessageDigest(.sha1)
        digest.update("blob 0\0".utf8)
        #expect(digest.finalize().hexadecimal == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    }
}
