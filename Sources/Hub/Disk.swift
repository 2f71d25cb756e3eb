import Foundation

/// Folders, free space and moves.
enum Disk {
    static func createFolder(_ url: URL) throws {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw HubError(.internalError, "Could not create the folder \(url.path): \(error)", cause: error)
        }
    }

    /// Paths of what lies directly in `folder`; empty when it does not exist.
    static func content(of folder: URL) throws -> [URL] {
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        do {
            return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        } catch {
            throw HubError(.internalError, "Could not list the folder \(folder.path): \(error)", cause: error)
        }
    }

    /// Removes a file or a whole folder, if it exists.
    static func remove(_ url: URL) throws {
        do {
            try FileManager.default.removeItem(at: url)
        } catch CocoaError.fileNoSuchFile {
            return
        } catch {
            throw HubError(.internalError, "Could not remove \(url.path): \(error)", cause: error)
        }
    }

    /// Size of the regular file at `url`, nil when there is none.
    static func fileSize(_ url: URL) throws -> Int64? {
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        return try RawFile(url, .read).size()
    }

    /// Throws `diskFull` unless `bytes` more fit beside `folder`, which must exist.
    static func requireSpace(_ bytes: Int64, in folder: URL) throws {
        var status = statvfs()
        guard statvfs(folder.path, &status) == 0 else { throw FileFailure.error("examine", folder.path, errno) }
        let free = Int64(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).0)
        guard bytes <= free else {
            throw HubError(
                .diskFull,
                "\(megabytes(bytes)) are needed in \(folder.path), and only \(megabytes(free)) are free. "
                    + "Free some space, or put HIDRA_HOME on a larger disk.")
        }
    }

    /// Moves a finished file to its place; copies it when that is on another file system.
    static func move(_ source: URL, to target: URL, cancellation: CancellationFlag) throws {
        if rename(source.path, target.path) == 0 { return }
        guard errno == EXDEV else { throw FileFailure.error("write", target.path, errno) }
        try copy(source, to: target, cancellation: cancellation) { _ in }
        try remove(source)
    }

    /// Copies a regular file (symbolic links are followed), sharing its blocks where the file system can, and waits for
    /// it to reach the disk; `target` must not exist.
    /// - Parameter progress: told the bytes done so far.
    /// - Returns: the bytes copied.
    @discardableResult
    static func copy(
        _ source: URL, to target: URL, cancellation: CancellationFlag, progress: (Int64) -> Void
    ) throws -> Int64 {
        let input = try RawFile(source, .read)
        let size = try input.size()
        let output = try RawFile(target, .create)
        if output.share(input) {
            progress(size)
            return size
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while true {
            try cancellation.check()
            let count = try input.read(into: buffer, at: offset)
            guard count > 0 else { break }
            try output.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: offset)
            offset += Int64(count)
            progress(offset)
        }
        try output.synchronise()
        return offset
    }

    /// `90.9 MB`, for messages.
    static func megabytes(_ bytes: Int64) -> String {
        String(format: "%.1f MB", Double(bytes) / 1e6)
    }
}
