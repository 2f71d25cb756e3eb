import HidraClient
import HidraProtocol

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What `doctor` can see without the daemon.
enum LocalChecks {
    /// Below this much free space pulls and training will soon fail.
    static let tightBytes: UInt64 = 1_000_000_000
    static let tooFewBytes: UInt64 = 50_000_000

    /// Whether the home directory, or the nearest directory above it that exists, can be written, and how much fits.
    static func home(_ path: String) -> Check {
        let move = "Choose another place with HIDRA_HOME."
        var existing = path
        while access(existing, F_OK) != 0, existing != "/" {
            existing = String(existing[..<(existing.lastIndex(of: "/") ?? existing.startIndex)])
            if existing.isEmpty { existing = "/" }
        }
        guard access(existing, W_OK | X_OK) == 0 else {
            return .fail("home", "\(existing) cannot be written", "Check its permissions. \(move)")
        }
        var system = statvfs()
        guard statvfs(existing, &system) == 0 else {
            return .warn("home", "the free space of \(existing) cannot be told", move)
        }
        let new = existing == path ? "" : " (not there yet)"
        return space(UInt64(system.f_bavail) * UInt64(system.f_frsize), of: path + new)
    }

    static func space(_ free: UInt64, of path: String) -> Check {
        let finding = "\(path), \(Format.bytes(free)) free"
        if free < tooFewBytes { return .fail("home", finding, "Make room, or choose another place with HIDRA_HOME.") }
        if free < tightBytes {
            return .warn("home", finding, "An encoder takes 100 MB to several GB. Make room, or set HIDRA_HOME.")
        }
        return .ok("home", finding)
    }

    /// The directory of the sockets is what keeps other users out.
    static func sockets(_ endpoints: Endpoints) -> Check {
        do {
            return try endpoints.checkDirectory()
                ? .ok("sockets", "\(endpoints.directory), open to you alone")
                : .ok("sockets", "\(endpoints.directory), made when the daemon starts")
        } catch {
            return .fail("sockets", "\(endpoints.directory) cannot be used", error.message)
        }
    }

    /// `pull` fetches encoders of the catalogue with pip.
    static func python(path: String?) -> Check {
        guard let python = find("python3", path: path) ?? find("python", path: path) else {
            return .warn(
                "python", "no python3 in PATH",
                "Only `hidra pull NAME` needs it, to download with pip; `hidra pull hf:…` and folders work without.")
        }
        guard let pip = find("pip3", path: path) ?? find("pip", path: path) else {
            return .warn("python", "\(python), but no pip in PATH", "Install pip, or pull with hf:ORG/NAME instead.")
        }
        return .ok("python", "\(python), \(pip)")
    }

    /// The first executable file `name` in the directories of `path`.
    static func find(_ name: String, path: String?) -> String? {
        (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").map { "\($0)/\(name)" }.first { candidate in
            var status = stat()
            return access(candidate, X_OK) == 0 && stat(candidate, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        }
    }
}
