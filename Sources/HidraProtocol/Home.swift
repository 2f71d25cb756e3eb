internal import Glibc

/// The directory that holds everything a daemon keeps: registry, encoders, heads, runs.
public struct Home: Sendable, Hashable {
    /// Absolute, without `.`, `..` or doubled slashes.
    public let path: String

    /// - Parameter path: relative to the working directory unless it begins with a slash.
    public init(path: String) { self.path = Self.absolute(path) }

    /// Where the environment says: `$HIDRA_HOME`, or `$XDG_DATA_HOME/hidra`, or `~/.local/share/hidra`.
    public static var `default`: Home {
        resolve { name in getenv(name).map { String(cString: $0) } }
    }

    /// - Parameter environment: the value of a variable, or nil when it is not set.
    package static func resolve(environment: (String) -> String?) -> Home {
        func value(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
        if let path = value("HIDRA_HOME") { return Home(path: path) }
        // The XDG specification says to ignore relative paths.
        if let data = value("XDG_DATA_HOME"), data.hasPrefix("/") { return Home(path: data + "/hidra") }
        return Home(path: (value("HOME") ?? "/tmp/hidra-home-\(getuid())") + "/.local/share/hidra")
    }

    /// Held by the daemon while it lives; says who it is and where it listens.
    package var lockPath: String { path + "/daemon.lock" }
    /// What a daemon prints when nobody watches.
    package var logPath: String { path + "/hidrad.log" }

    private static func absolute(_ path: String) -> String {
        var full = path
        if !path.hasPrefix("/") {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
            let directory = getcwd(&buffer, buffer.count).map { String(cString: $0) } ?? ""
            full = directory + "/" + path
        }
        var parts: [Substring] = []
        for part in full.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
