import Foundation
import HidraProtocol

/// Copies a plugin's folder to where the daemon runs it from, within bounds. Names that begin with a dot (`.git`, `.build`, `.venv`)
/// are left out.
struct PluginFolder {
    static let mostFiles = 10_000
    static let mostBytes = 512 << 20
    private static let deepest = 32

    private let root: String
    private var files = 0
    private var bytes = 0

    /// - Parameters:
    ///   - target: must not exist.
    /// - Throws: `PluginError` for a folder that is too large, or has what is no file, no folder and no link within it.
    static func copy(_ source: URL, to target: URL) throws {
        guard let resolved = realpath(source.path, nil) else {
            throw PluginError(.notFound, "There is no folder \(source.path).", details: ["file": source.path])
        }
        defer { free(resolved) }
        var folder = PluginFolder(root: String(cString: resolved))
        do { try folder.copy(folder.root, to: target.path, depth: 0) } catch let error as CocoaError {
            throw PluginError(
                error.code == .fileWriteOutOfSpace ? .diskFull : .invalidArgument,
                "\(source.path) cannot be copied to \(target.path): \(error.localizedDescription)")
        }
    }

    private init(root: String) { self.root = root }

    private mutating func copy(_ source: String, to target: String, depth: Int) throws {
        guard depth <= Self.deepest else { throw tooLarge("is more than \(Self.deepest) folders deep") }
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        for name in try FileManager.default.contentsOfDirectory(atPath: source).sorted() where !name.hasPrefix(".") {
            let from = source + "/" + name, to = target + "/" + name
            files += 1
            guard files <= Self.mostFiles else { throw tooLarge("has more than \(Self.mostFiles) files") }
            var status = stat()
            guard lstat(from, &status) == 0 else { throw CocoaError(.fileReadNoSuchFile) }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try copy(from, to: to, depth: depth + 1)
            case S_IFREG:
                bytes += Int(status.st_size)
                guard bytes <= Self.mostBytes else { throw tooLarge("has more than \(Self.mostBytes >> 20) MiB") }
                try FileManager.default.copyItem(atPath: from, toPath: to)
            case S_IFLNK: try link(from, to)
            default: throw PluginError(.invalidArgument, "\(from) is neither a file, a folder nor a link: remove it.")
            }
        }
    }

    /// A link may name what lies in the folder; one that leaves it would mean something else, or nothing, in the copy.
    private func link(_ from: String, _ to: String) throws {
        let destination = try FileManager.default.destinationOfSymbolicLink(atPath: from)
        let end = realpath(from, nil).map { path in
            defer { free(path) }
            return String(cString: path)
        }
        guard !destination.hasPrefix("/"), let end, end.hasPrefix(root + "/") else {
            throw PluginError(.invalidArgument, "\(from) is a link out of the plugin's folder, to \(destination): copy the file in its place.")
        }
        try FileManager.default.createSymbolicLink(atPath: to, withDestinationPath: destination)
    }

    private func tooLarge(_ what: String) -> PluginError {
        PluginError(
            .limitExceeded,
            "\(root) \(what). Keep data and build products that the plugin does not need out of it, or in folders whose names begin with a dot.")
    }
}
