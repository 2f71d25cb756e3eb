internal import Glibc

/// Where a home's daemon listens: three Unix sockets in a directory that only their owner can enter.
public struct Endpoints: Sendable, Hashable {
    /// The directory of the sockets.
    public let directory: String

    package init(directory: String) { self.directory = directory }

    /// The directory follows from the home alone, so that client and daemon agree: `hidra-<hash>` under
    /// `$XDG_RUNTIME_DIR`, or `/tmp/hidra-<uid>-<hash>` when that is not set, not there or too long for a socket.
    /// The hash is FNV-1a, 32 bit, of the home's path, in hexadecimal.
    public init(home: Home) {
        self.init(home: home, runtimeDirectory: getenv("XDG_RUNTIME_DIR").map { String(cString: $0) })
    }

    package init(home: Home, runtimeDirectory: String?) {
        var hash = FNV1a()
        hash.update(home.path.utf8)
        let name = hash.hexadecimal
        if let runtime = runtimeDirectory, runtime.hasPrefix("/"), access(runtime, W_OK | X_OK) == 0,
            Self.isShortEnough(runtime + "/hidra-" + name)
        {
            directory = runtime + "/hidra-" + name
        } else {
            directory = "/tmp/hidra-\(getuid())-" + name
        }
    }

    /// A Unix socket's path has 108 bytes, its end included (unix(7)); some are left to spare.
    static func isShortEnough(_ directory: String) -> Bool { (directory + "/control.sock").utf8.count <= 100 }

    public var control: String { "ipc://" + controlPath }
    public var work: String { "ipc://" + workPath }
    public var events: String { "ipc://" + eventsPath }

    package var controlPath: String { directory + "/control.sock" }
    package var workPath: String { directory + "/work.sock" }
    package var eventsPath: String { directory + "/events.sock" }

    /// Whether all three sockets are there; whether somebody listens is another matter.
    package var areBound: Bool { paths.allSatisfy { (path: String) in access(path, F_OK) == 0 } }
    package var paths: [String] { [controlPath, workPath, eventsPath] }
}
