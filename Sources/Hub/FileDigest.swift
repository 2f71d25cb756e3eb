import Digests
import Foundation

/// The digests of a file's content.
struct FileDigest: Sendable, Equatable {
    enum Kind: Sendable {
        /// SHA-256 of the content: the ETag of a file that the hub keeps in LFS, and what Hidra records.
        case sha256
        /// SHA-1 of `"blob <size>\0"` and the content, git's name for it: the ETag of any other file on the hub.
        case gitBlob
    }

    var size: Int64
    var sha256: String
    /// Only when asked for.
    var gitBlob: String?

    /// Reads the file once.
    /// - Parameter progress: told the bytes of each step, not their sum.
    static func of(
        _ url: URL, _ kind: Kind = .sha256, cancellation: CancellationFlag, progress: (Int64) -> Void = { _ in }
    ) throws -> FileDigest {
        let file = try RawFile(url, .read)
        let size = try file.size()
        var sha256 = MessageDigest(.sha256)
        var sha1 = MessageDigest(.sha1)
        sha1.update("blob \(size)\0".utf8)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while true {
            try cancellation.check()
            let count = try file.read(into: buffer, at: offset)
            guard count > 0 else { break }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            sha256.update(bytes)
            if kind == .gitBlob { sha1.update(bytes) }
            offset += Int64(count)
            progress(Int64(count))
        }
        guard offset == size else {
            throw HubError(.corrupt, "\(url.path) changed while it was read. Try again when nothing writes to it.")
        }
        return FileDigest(
            size: size, sha256: sha256.finalize().hexadecimal,
            gitBlob: kind == .gitBlob ? sha1.finalize().hexadecimal : nil)
    }
}
