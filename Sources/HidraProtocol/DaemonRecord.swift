internal import Glibc

/// What a daemon writes into `daemon.lock`: two lines, its process id and its socket directory.
///
/// A client whose environment differs from the daemon's (no `XDG_RUNTIME_DIR` under cron) finds the sockets by it.
package struct DaemonRecord: Sendable, Equatable {
    package var processID: Int32
    package var socketDirectory: String

    package init(processID: Int32, socketDirectory: String) {
        self.processID = processID
        self.socketDirectory = socketDirectory
    }

    package var text: String { "\(processID)\n\(socketDirectory)\n" }

    /// Nil for a file that is being written, or that no daemon wrote.
    package init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 3, let process = Int32(lines[0]), process > 0, lines[1].hasPrefix("/"),
            Endpoints.isShortEnough(String(lines[1]))
        else { return nil }
        self.init(processID: process, socketDirectory: String(lines[1]))
    }

    /// What the home's present or last daemon wrote; nil when there has been none.
    package static func read(_ home: Home) -> DaemonRecord? {
        let file = open(home.lockPath, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return DaemonRecord(text: String(decoding: bytes.prefix(count), as: UTF8.self))
    }
}

extension Endpoints {
    /// Where the home's daemon says it listens, or else where one would.
    package static func current(_ home: Home) -> Endpoints {
        DaemonRecord.read(home).map { Endpoints(directory: $0.socketDirectory) } ?? Endpoints(home: home)
    }
}
