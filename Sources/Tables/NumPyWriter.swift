import Foundation

/// Writes an `.npy` matrix of known shape block by block, so that no more than a block is in memory.
///
/// The values go to a file beside the target, which takes its name when `finish` has found it complete: a reader sees
/// the whole array or none. A writer that is let go before that leaves nothing behind.
package final class NumPyWriter {
    private let path: String
    private let temporaryPath: String
    private let rows: Int
    private let width: Int
    private var written = 0
    /// Nil before it is open and once it has its name.
    private var file: FileHandle?
    private var isFinished = false

    /// Begins a file of `[rows, width]`.
    ///
    /// Throws: `.unreadable` where the folder cannot be written to.
    package init(path: String, rows: Int, width: Int) throws(TableError) {
        precondition(rows >= 0 && width >= 0, "NumPyWriter: [\(rows), \(width)]")
        self.path = path
        self.rows = rows
        self.width = width
        temporaryPath = "\(path).\(UUID().uuidString.prefix(8)).partial"
        guard FileManager.default.createFile(atPath: temporaryPath, contents: nil) else {
            throw TableError(
                .unreadable, "cannot be written; check the folder and that you may write to it", source: path)
        }
        do {
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: temporaryPath))
            self.file = file
            try file.write(contentsOf: NumPyHeader(element: .float32, shape: [rows, width]).encoded)
        } catch {
            throw TableError(.unreadable, "cannot be written; check that the disk has room", source: path, cause: error)
        }
    }

    deinit {
        guard !isFinished else { return }
        file?.closeFile()
        unlink(temporaryPath)
    }

    /// Appends whole rows: `[n, width]`, row by row.
    ///
    /// Throws: `.unreadable` where the disk is full.
    package func append(_ values: [Float]) throws(TableError) {
        precondition(
            width == 0 ? values.isEmpty : values.count % width == 0,
            "NumPyWriter: \(values.count) values are no rows of \(width)")
        precondition(
            written + values.count <= rows * width,
            "NumPyWriter: \(written + values.count) values for [\(rows), \(width)]")
        guard let file else { preconditionFailure("NumPyWriter: append after finish") }
        do {
            try file.write(contentsOf: NumPyArray.bytes(values))
        } catch {
            throw TableError(.unreadable, "cannot be written; check that the disk has room", source: path, cause: error)
        }
        written += values.count
    }

    /// Gives the file its name.
    ///
    /// Throws: `.malformed` where rows are missing; `.unreadable` where the file cannot be renamed.
    package func finish() throws(TableError) {
        guard let file else { preconditionFailure("NumPyWriter: finished twice") }
        guard written == rows * width else {
            throw TableError(
                .malformed, "\(written) of \(rows * width) values were written; the array is incomplete", source: path)
        }
        do {
            try file.synchronize()
            try file.close()
        } catch {
            throw TableError(.unreadable, "cannot be written; check that the disk has room", source: path, cause: error)
        }
        self.file = nil
        guard rename(temporaryPath, path) == 0 else {
            let reason = String(cString: strerror(errno))
            throw TableError(.unreadable, "cannot take its name: \(reason)", source: path)
        }
        isFinished = true
    }
}
