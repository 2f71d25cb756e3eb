import Foundation

/// Looks up programs as a shell does.
enum Executable {
    /// The first executable file called `name` in the folders of `PATH`.
    static func find(_ name: String, _ environment: [String: String]) -> URL? {
        (environment["PATH"] ?? "").split(separator: ":").lazy
            .map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }
}
