import Foundation
import Glibc
import HidraProtocol
import ZeroMQ

/// The daemon's own pair of keys, in a file that only its user may read. Clients know the daemon by the public half, so it stays the same.
enum ServerKey {
    /// Reads the key, or makes one.
    ///
    /// - Throws: `permissionDenied` for a file that others may read, `corrupt` for one that holds no key.
    static func load(_ folder: URL) throws -> CurveKeyPair {
        let path = folder.appending(path: "server.key").path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw failed("read", path, errno) }
            return try make(path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failed("read", path, errno) }
        guard status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
            throw Failure(
                .permissionDenied,
                "\(path) must belong to you, and nobody else may read it: chmod 600 it. If others may have read it, delete it; the next start "
                    + "makes a new one, and each client needs a new key.")
        }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw failed("read", path, errno) }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self).trimmingCharacters(in: .newlines)
        guard let pair = CurveKeyPair(secretKey: text) else {
            throw Failure(
                .corrupt, "\(path) holds no key. Delete it; the next start makes a new one, and each client needs a new key.")
        }
        return pair
    }

    /// Written beside and renamed: a crash leaves no half of a key.
    private static func make(_ path: String) throws -> CurveKeyPair {
        let pair = try CurveKeyPair.generate(), fresh = path + ".new"
        unlink(fresh)
        let descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failed("write", path, errno) }
        defer { close(descriptor) }
        let bytes = Array((pair.secretKey + "\n").utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0, rename(fresh, path) == 0 else {
            throw failed("write", path, errno)
        }
        return pair
    }

    private static func failed(_ what: String, _ path: String, _ number: Int32) -> Failure {
        Failure(
            number == ENOSPC ? .diskFull : .permissionDenied, "Could not \(what) \(path): \(String(cString: strerror(number))).")
    }
}
