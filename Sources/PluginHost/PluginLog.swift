import Foundation

/// A plugin's log: `log` in its folder and, when that is full, the one before it, `log.1`. Each line begins with its time, in UTC.
struct PluginLog: Sendable {
    static let longest = 1 << 20

    private let path: String
    private var file: Int32 = -1
    private var size = 0
    private var problem = false
    private(set) var dropped = 0
    private(set) var followers: [UInt64: AsyncStream<[String]>.Continuation] = [:]
    private var nextFollower: UInt64 = 0

    /// - Parameter folder: made by whoever installed the plugin.
    init(folder: URL) { path = folder.appending(path: "log").path }

    mutating func append(_ lines: [String], dropped: Int = 0) {
        self.dropped += dropped
        guard !lines.isEmpty else { return }
        let time = Self.now
        let stamped = lines.map { "\(time) \($0)" }
        write(Array((stamped.joined(separator: "\n") + "\n").utf8))
        for follower in followers.values { follower.yield(stamped) }
    }

    /// The last lines, oldest first.
    func tail(_ count: Int) -> [String] {
        let text = [path + ".1", path].map { file in FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? "" }
        return text.joined().split(separator: "\n").suffix(count).map(String.init)
    }

    /// What is appended from now on; what its reader does not take in time is left out, oldest first.
    mutating func follow() -> (id: UInt64, lines: AsyncStream<[String]>) {
        nextFollower += 1
        let (stream, continuation) = AsyncStream<[String]>.makeStream(bufferingPolicy: .bufferingNewest(256))
        followers[nextFollower] = continuation
        return (nextFollower, stream)
    }

    mutating func unfollow(_ id: UInt64) { followers.removeValue(forKey: id)?.finish() }

    mutating func close() {
        for follower in followers.values { follower.finish() }
        followers = [:]
        if file >= 0 { Foundation.close(file) }
        file = -1
    }

    /// A log that cannot be written (a full disk) is no reason to stop a plugin: its lines then reach followers only.
    private mutating func write(_ bytes: [UInt8]) {
        if file < 0 {
            file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard file >= 0 else { return }
            size = Int(lseek(file, 0, SEEK_END))
        }
        let written = Foundation.write(file, bytes, bytes.count)
        size += max(0, written)
        if size >= Self.longest {
            Foundation.close(file)
            file = -1
            rename(path, path + ".1")
        }
    }

    private static var now: String {
        var seconds = time(nil), parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }
}
