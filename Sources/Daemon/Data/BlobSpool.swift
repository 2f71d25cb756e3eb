import Digests
import Foundation
import Glibc
import HidraProtocol
import Synchronization

/// Uploaded files of one data set, on disk until the data set goes: photos would not fit in memory.
///
/// The file has no name from the start, so that nothing is left of it whatever happens to the daemon.
final class BlobSpool: Sendable {
    private let descriptor: Int32
    private let end = Mutex<Int>(0)

    init(in folder: URL) throws {
        var template = Array((folder.path + "/upload-XXXXXX").utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Self.failure("create a file for uploads in \(folder.path)", errno) }
        // Programs the daemon starts must not inherit it.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
    }

    deinit { close(descriptor) }

    /// - Throws: `diskFull`; what was written of the blob is then overwritten by the next.
    func append(_ bytes: Data) throws -> Blob {
        let offset = try end.withLock { end in
            try bytes.withUnsafeBytes { raw in
                var written = 0
                while written < raw.count {
                    let count = pwrite(
                        descriptor, raw.baseAddress! + written, raw.count - written, off_t(end + written))
                    if count < 0 {
                        if errno == EINTR { continue }
                        throw Self.failure("keep an uploaded file", errno)
                    }
                    written += count
                }
            }
            defer { end += bytes.count }
            return end
        }
        return Blob(spool: self, offset: offset, count: bytes.count, digest: MessageDigest.sha256(bytes))
    }

    fileprivate func read(_ offset: Int, _ count: Int) throws -> Data {
        var data = Data(count: count)
        try data.withUnsafeMutableBytes { raw in
            var done = 0
            while done < count {
                let got = pread(descriptor, raw.baseAddress! + done, count - done, off_t(offset + done))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { throw Self.failure("read an uploaded file back", got < 0 ? errno : EIO) }
                done += got
            }
        }
        return data
    }

    private static func failure(_ what: String, _ number: Int32) -> Failure {
        let isFull = number == ENOSPC || number == EDQUOT
        return Failure(
            isFull ? .diskFull : .internalError,
            "The daemon could not \(what): \(String(cString: strerror(number)))."
                + (isFull ? " Free some space and repeat." : ""))
    }
}

/// One uploaded file; keeps its spool alive.
struct Blob: Sendable {
    private let spool: BlobSpool
    private let offset: Int
    let count: Int
    /// SHA-256 of the bytes.
    let digest: [UInt8]

    fileprivate init(spool: BlobSpool, offset: Int, count: Int, digest: [UInt8]) {
        self.spool = spool
        self.offset = offset
        self.count = count
        self.digest = digest
    }

    func read() throws -> Data { try spool.read(offset, count) }
}
