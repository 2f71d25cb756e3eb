import Foundation

/// What a daemon leaves to the next one: `state` beside a plugin's files.
struct PluginRecord: Codable, Sendable, Equatable {
    /// It is to run whenever the daemon does.
    var isWanted = false
    /// Of the process that runs; nil: none does.
    var token: String?

    /// Nothing was recorded, or nothing that can be read: then it is not wanted.
    static func read(_ file: URL) -> PluginRecord {
        guard let bytes = FileManager.default.contents(atPath: file.path), bytes.count < 4096 else { return PluginRecord() }
        do { return try JSONDecoder().decode(PluginRecord.self, from: bytes) } catch { return PluginRecord() }
    }

    /// Beside and renamed, so that a daemon that dies here leaves the old one.
    func write(_ file: URL) throws {
        try JSONEncoder().encode(self).write(to: file, options: .atomic)
    }
}
