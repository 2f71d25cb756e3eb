import Foundation
import Testing

@testable import State

@Suite("Digests")
struct DigestTests {
    /// FIPS 180-4 example vectors (NIST CSRC, "SHA256.pdf") and the empty string.
    static let vectors = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ]

    @Test("Bytes and files have the published SHA-256", arguments: vectors)
    func published(text: String, hex: String) throws {
        let state = try TemporaryState()
        try state.write(text, to: "file")
        #expect(SHA256Digest(of: Data(text.utf8)).hex == hex)
        #expect(try SHA256Digest(ofFile: state.root.appendingPathComponent("file")).hex == hex)
        #expect(SHA256Digest(hex: hex.uppercased()) == SHA256Digest(of: Data(text.utf8)))
    }

    @Test(
        "A file is digested alike whatever its size is to the block",
        arguments: [
            (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20,
        ])
    func blocks(size: Int) throws {
        let state = try TemporaryState()
        let data = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let url = state.root.appendingPathComponent("file")
        try data.write(to: url)
        #expect(try SHA256Digest(ofFile: url, dropsPageCache: true) == SHA256Digest(of: data))
    }

    @Test("Digesting a file can be cancelled, and names a file that is missing")
    func failures() async throws {
        let state = try TemporaryState()
        try state.write("x", to: "file")
        let url = state.root.appendingPathComponent("file")
        let cancelled = try await workbenchError { _ = try SHA256Digest(ofFile: url, isCancelled: { true }) }
        #expect(cancelled.code == .cancelled)
        let missing = try await workbenchError {
            _ = try SHA256Digest(ofFile: state.root.appendingPathComponent("absent"))
        }
        #expect(missing.code == .notFound)
        #expect(missing.message.contains("absent"))
    }

    @Test(
        "Anything but 64 hexadecimal digits is no digest",
        arguments: [
            "", "ba78", String(repeating: "g", count: 64), String(repeating: "a", count: 63) + "é",
            String(repeating: "a", count: 65),
        ])
    func malformed(hex: String) {
        #expect(SHA256Digest(hex: hex) == nil)
    }

    @Test("An input's digest is the first half of the SHA-256 of its UTF-8")
    func inputs() {
        let digest = InputDigest(text: "abc")
        #expect(digest.high == 0xba78_16bf_8f01_cfea)
        #expect(digest.low == 0x4141_40de_5dae_2223)
        #expect(InputDigest(text: "é") != InputDigest(text: "e\u{301}"), "no normalisation")
    }
}
