internal import Glibc
package import HidraProtocol

/// Makes this process the home's only daemon, for as long as the object lives.
///
/// An exclusive `flock` on `daemon.lock`: the kernel releases it however the process ends, so a lock file left behind
/// means nothing. Sockets a dead daemon left may be removed only by who holds it.
package final class DaemonLock: Sendable {
    package let home: Home
    /// Where this daemon listens; recorded in the lock file for clients.
    package let endpoints: Endpoints
    private let file: Int32

    private init(home: Home, endpoints: Endpoints, file: Int32) {
        (self.home, self.endpoints, self.file) = (home, endpoints, file)
    }

    /// Makes the home if need be and takes its lock.
    ///
    /// - Throws: `alreadyRunning`, with the other's process id, when another daemon holds it.
    package static func acquire(_ home: Home) throws(TransportError) -> DaemonLock {
        do { try home.makeDirectory() } catch { throw TransportError(error.code, error.message) }
        let file = open(home.lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failed("open \(home.lockPath)", errno) }
        // The object closes the file also when something below throws.
        let lock = DaemonLock(home: home, endpoints: Endpoints(home: home), file: file)
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            guard errno == EWOULDBLOCK else { throw failed("lock \(home.lockPath)", errno) }
            let other = DaemonRecord.read(home).map { " (process \($0.processID))" } ?? ""
            throw TransportError(
                .alreadyRunning,
                "Another hidrad\(other) serves \(home.path). Use it, stop it with `hidra stop`, or set HIDRA_HOME to "
                    + "another directory.")
        }
        try lock.record()
        return lock
    }

    deinit { close(file) }

    private func record() throws(TransportError) {
        let record = DaemonRecord(processID: getpid(), socketDirectory: endpoints.directory)
        let bytes = Array(record.text.utf8)
        guard ftruncate(file, 0) == 0, pwrite(file, bytes, bytes.count, 0) == bytes.count else {
            throw Self.failed("write \(home.lockPath)", errno)
        }
    }

    private static func failed(_ what: String, _ code: Int32) -> TransportError {
        TransportError(
            code == ENOSPC ? .diskFull : .permissionDenied,
            "Could not \(what): \(String(cString: strerror(code))). Set HIDRA_HOME to a directory you may write to.")
    }
}
