import Glibc

/// A plugin's process and everything it has started, as `/proc` shows them.
enum ProcessFamily {
    /// Environment variable by which a plugin's processes are known, whatever session they moved to.
    static let tokenVariable = "HIDRA_PLUGIN_TOKEN"

    /// Kills whatever carries the token in its environment; this process never. A process that is just being forked may be missed by
    /// one look, hence several.
    static func killAll(token: String) {
        let needle = Array("\(tokenVariable)=\(token)".utf8)
        for _ in 0..<20 {
            let members = processes().filter { $0 != getpid() && environment(of: $0, contains: needle) }
            if members.isEmpty { return }
            for member in members { kill(member, SIGKILL) }
            usleep(2000)
        }
    }

    struct Use: Sendable, Equatable {
        var processes = 0
        /// Private and shared memory; not files.
        var bytes = 0
    }

    /// What each of the sessions uses.
    static func use(of sessions: Set<pid_t>) -> [pid_t: Use] {
        var uses: [pid_t: Use] = [:]
        for process in processes() {
            let session = getsid(process)
            guard sessions.contains(session) else { continue }
            uses[session, default: Use()].processes += 1
            uses[session, default: Use()].bytes += memory(of: process)
        }
        return uses
    }

    private static func processes() -> [pid_t] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [pid_t] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let process = pid_t(name) { found.append(process) }
        }
        return found
    }

    private static func environment(of process: pid_t, contains entry: [UInt8]) -> Bool {
        environment(of: process).contains { $0.elementsEqual(entry) }
    }

    private static func environment(of process: pid_t) -> [ArraySlice<UInt8>] {
        content(of: "/proc/\(process)/environ", longest: 256 << 10).split(separator: 0)
    }

    /// The token that a process was started with; nil: none.
    static func token(of process: pid_t) -> String? {
        let prefix = Array("\(tokenVariable)=".utf8)
        return environment(of: process).first { $0.starts(with: prefix) }.map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) }
    }

    private static func memory(of process: pid_t) -> Int {
        let text = String(decoding: content(of: "/proc/\(process)/status", longest: 8 << 10), as: UTF8.self)
        return text.split(separator: "\n").reduce(0) { sum, line in
            guard line.hasPrefix("RssAnon:") || line.hasPrefix("RssShmem:") else { return sum }
            return sum + (line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) << 10
        }
    }

    /// Empty when the process is gone, or not ours.
    private static func content(of path: String, longest: Int) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        return withUnsafeTemporaryAllocation(byteCount: 8 << 10, alignment: 16) { piece in
            while bytes.count < longest {
                let count = read(file, piece.baseAddress, piece.count)
                guard count > 0 else { break }
                bytes += piece[..<count]
            }
            return bytes
        }
    }
}
