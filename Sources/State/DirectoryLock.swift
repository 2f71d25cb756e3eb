import Foundation

/// One daemon for each state directory: an exclusive `flock` on its file `lock`, held as long as this object lives.
///
/// The kernel drops the lock with the process, so a killed daemon leaves nothing to clean up.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Fails with `alreadyExists` when another process holds the lock; the message names its process id.
    init(at url: URL) throws {
        let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemCallError(call: "open", path: url.path, number: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            defer { close(descriptor) }
            guard number == EWOULDBLOCK else {
                throw SystemCallError(call: "flock", path: url.path, number: number)
            }
            let holder = Self.holder(descriptor)
            throw WorkbenchError(
                .alreadyExists,
                "A daemon\(holder.map { " (process \($0))" } ?? "") already uses "
                    + "\(url.deletingLastPathComponent().path). Stop it with `hidra stop`, or set HIDRA_HOME to another folder.",
                details: holder.map { ["process": $0] } ?? [:])
        }
        self.descriptor = descriptor
        let identity = Array("\(getpid())\n".utf8)
        // The id only serves the message above: a disk too full to hold it must not keep the daemon from starting.
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, identity, identity.count, 0) }
    }

    deinit { close(descriptor) }

    private static func holder(_ descriptor: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        let text = String(decoding: bytes[..<count], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return Int(text).map { "\($0)" }
    }
}
