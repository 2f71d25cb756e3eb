/// What a plugin says of itself, in `plugin.yaml` in its folder. See `ManifestReader` for the file.
package struct PluginManifest: Sendable, Equatable {
    package struct Limits: Sendable, Equatable {
        /// Of one process's private memory, and of all its processes' memory together.
        package var memoryBytes = 4 << 30
        /// Of one process.
        package var openFiles = 1024
        /// Running at a time, the plugin's own included.
        package var processes = 64
        /// Of one process's processor time; nil: any.
        package var cpuSeconds: Int?
    }

    /// What it may do in the daemon; each may do what those before it may.
    package enum Role: String, Sendable, CaseIterable {
        case infer, train, admin
    }

    package var name: String
    package var version: String
    package var description = ""
    /// Program and arguments. A program that is no absolute path is looked for in the plugin's folder, then in `PATH`.
    package var command: [String]
    package var protocolRange: ClosedRange<UInt32>
    package var tasks: [String] = []
    package var role = Role.train
    package var limits = Limits()
    /// Encoders its heads sit on, by name.
    package var encoders: [String] = []
    /// Heads it makes.
    package var heads: [String] = []

    package static let fileName = "plugin.yaml"

    /// A name is a folder's name and a word on a command line: `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`.
    package static func isName(_ name: String) -> Bool {
        func isPlain(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard let first = name.utf8.first, isPlain(first), name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy { isPlain($0) || "._-".utf8.contains($0) }
    }
}
