import Foundation

/// A system call that failed, with its `errno`.
struct SystemCallError: Error, Sendable, CustomStringConvertible {
    let call: String
    let path: String
    let number: Int32

    var reason: String { String(cString: strerror(number)) }
    var description: String { "\(call) of \(path) failed: \(reason)" }
}

/// The few file operations whose durability or atomicity the state directory depends on.
///
/// Foundation's own writes neither sync nor report `errno`, hence the system calls.
enum FileSystem {
    /// Creates the folder (mode 0700) when it is missing; an existing one keeps its mode.
    static func makeFolder(_ url: URL) throws {
        guard mkdir(url.path, 0o700) != 0 else { return }
        let number = errno
        if number == EEXIST, isFolder(url) { return }
        throw SystemCallError(call: "mkdir", path: url.path, number: number)
    }

    static func isFolder(_ url: URL) -> Bool { mode(url).map { $0 & S_IFMT == S_IFDIR } ?? false }

    static func exists(_ url: URL) -> Bool { mode(url) != nil }

    /// Renames atomically, then makes the change durable in both parents.
    static func rename(_ source: URL, to destination: URL) throws {
        guard Foundation.rename(source.path, destination.path) == 0 else {
            throw SystemCallError(call: "rename", path: source.path, number: errno)
        }
        try sync(destination.deletingLastPathComponent())
        let parent = source.deletingLastPathComponent()
        if parent.path != destination.deletingLastPathComponent().path { try sync(parent) }
    }

    /// `fsync` of one file or folder.
    static func sync(_ url: URL) throws {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCallError(call: "open", path: url.path, number: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemCallError(call: "fsync", path: url.path, number: errno) }
    }

    /// `fsync` of every file and folder of a tree, deepest first.
    static func syncTree(_ root: URL) throws {
        for path in try files(of: root, including: .everything).reversed() {
            try sync(root.appendingPathComponent(path))
        }
        try sync(root)
    }

    /// Writes a new file and makes it durable. The file must not exist.
    static func write(_ bytes: Data, to url: URL) throws {
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemCallError(call: "open", path: url.path, number: errno) }
        defer { close(descriptor) }
        try bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = Foundation.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw SystemCallError(call: "write", path: url.path, number: errno)
                }
                written += count
            }
        }
        guard fsync(descriptor) == 0 else { throw SystemCallError(call: "fsync", path: url.path, number: errno) }
    }

    /// Removes a file or a whole folder; one that is already gone is no error.
    static func remove(_ url: URL) throws {
        guard exists(url) else { return }
        try FileManager.default.removeItem(at: url)
    }

    /// Bytes an ordinary user may still write on the file system of `url`.
    static func freeSpace(at url: URL) throws -> Int {
        var info = statvfs()
        guard statvfs(url.path, &info) == 0 else {
            throw SystemCallError(call: "statvfs", path: url.path, number: errno)
        }
        let (bytes, overflow) = UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize))
        return overflow ? .max : Int(clamping: bytes)
    }

    static func size(ofFile url: URL) throws -> Int {
        var info = stat()
        guard lstat(url.path, &info) == 0 else {
            throw SystemCallError(call: "lstat", path: url.path, number: errno)
        }
        return Int(info.st_size)
    }

    /// Bytes of all files of a tree.
    static func size(ofTree root: URL) throws -> Int {
        try files(of: root, including: .filesOnly).reduce(0) {
            try $0 + size(ofFile: root.appendingPathComponent($1))
        }
    }

    enum Selection { case filesOnly, everything }

    /// Paths below `root`, relative to it, parents before children, sorted; refuses links and special files, which
    /// no bundle has a use for and which could point outside the state directory.
    static func files(of root: URL, including selection: Selection) throws -> [String] {
        var found: [String] = []
        for name in try names(in: root) {
            let url = root.appendingPathComponent(name)
            switch mode(url).map({ $0 & S_IFMT }) {
            case S_IFDIR:
                if selection == .everything { found.append(name) }
                found += try files(of: url, including: selection).map { "\(name)/\($0)" }
            case S_IFREG:
                found.append(name)
            default:
                throw WorkbenchError(
                    .invalidData, "\(url.path) is neither a file nor a folder; copy the real file in its place.")
            }
        }
        return found
    }

    /// Names in a folder, sorted.
    static func names(in folder: URL) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            throw SystemCallError(call: "opendir", path: folder.path, number: ENOENT)
        }
    }

    private static func mode(_ url: URL) -> mode_t? {
        var info = stat()
        return lstat(url.path, &info) == 0 ? info.st_mode : nil
    }
}
