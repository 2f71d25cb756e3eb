import HidraClient
import HidraProtocol

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Paths as the daemon needs them: it has another working directory.
enum Paths {
    /// Whether `source` means a folder here rather than a name elsewhere.
    static func isFolder(_ source: String) -> Bool {
        if ["/", "./", "../", "~/"].contains(where: source.hasPrefix) || [".", "..", "~"].contains(source) {
            return true
        }
        guard !source.hasPrefix("hf:") else { return false }
        return source.contains("/") && isDirectory(source)
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// `path` from the root, "~/" replaced by the home directory and "." and ".." resolved by name.
    static func absolute(_ path: String) -> String {
        var full = path
        if path == "~" || path.hasPrefix("~/"), let home = getenv("HOME") {
            full = String(cString: home) + path.dropFirst()
        } else if !path.hasPrefix("/"), let directory = getcwd(nil, 0) {
            full = String(cString: directory) + "/" + path
            free(directory)
        }
        var parts: [Substring] = []
        for part in full.split(separator: "/") where part != "." {
            if part == ".." { parts = parts.dropLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// This program's own file.
    static var executable: String? {
        guard let resolved = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
