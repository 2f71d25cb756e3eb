import Digests
package import Foundation

/// A SHA-256 digest (FIPS 180-4) of a file or of bytes.
package struct SHA256Digest: Hashable, Sendable {
    /// 32 bytes.
    package let bytes: [UInt8]

    package init(of data: some DataProtocol) {
        bytes = MessageDigest.sha256(data)
    }

    /// Reads the file in blocks of 1 MiB, so that digesting a checkpoint costs no memory.
    ///
    /// - parameter dropsPageCache: Tells the kernel that the file will not be read again soon.
    /// - parameter isCancelled: Asked between blocks; `true` ends with `cancelled`.
    package init(
        ofFile url: URL, dropsPageCache: Bool = false, isCancelled: () -> Bool = { false }
    ) throws {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        do {
            guard descriptor >= 0 else { throw SystemCallError(call: "open", path: url.path, number: errno) }
            defer { close(descriptor) }
            var hash = MessageDigest(.sha256)
            try withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 64) { block in
                while true {
                    if isCancelled() { throw CancellationError() }
                    let count = read(descriptor, block.baseAddress, block.count)
                    if count == 0 { return }
                    if count < 0 {
                        if errno == EINTR { continue }
                        throw SystemCallError(call: "read", path: url.path, number: errno)
                    }
                    hash.update(UnsafeRawBufferPointer(rebasing: block[..<count]))
                }
            }
            #if os(Linux)
                if dropsPageCache { posix_fadvise(descriptor, 0, 0, Int32(POSIX_FADV_DONTNEED)) }
            #endif
            bytes = hash.finalize()
        } catch {
            throw WorkbenchError.wrapping(
                error, while: "computing the digest of \(url.lastPathComponent)", at: url.deletingLastPathComponent())
        }
    }

    /// Reads 64 hexadecimal digits; nil for anything else.
    package init?(hex: String) {
        let digits = hex.utf8.compactMap { character -> UInt8? in
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
            default: nil
            }
        }
        guard digits.count == 64, hex.utf8.count == 64 else { return nil }
        bytes = stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension SHA256Digest: CustomStringConvertible {
    package var description: String { hex }
}
