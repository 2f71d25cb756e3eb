import Encoders
import Foundation
import State

/// A session's own copy of a file's rows, in its folder: `rows-N.json`, and `images-N.bin` with the bytes of images one after the other.
/// What was started with these rows goes on with these rows.
struct SessionRows: Codable, Sendable {
    struct Column: Codable, Sendable {
        var name: String
        var texts: [String]?
        var images: [Image]?
    }

    struct Image: Codable, Sendable {
        var name: String
        var offset: Int, bytes: Int
        /// Hexadecimal.
        var sha256: String
    }

    private(set) var columns: [Column]
    private(set) var imageFile: String

    private init(columns: [Column], imageFile: String) { (self.columns, self.imageFile) = (columns, imageFile) }

    /// Writes the copy into `folder`, which exists. Returns its file and its SHA-256.
    static func write(_ file: SessionRequest.File, number: Int, to folder: URL) throws -> (name: String, sha256: String, rows: Int) {
        let imageFile = "images-\(number).bin", imageURL = folder.appending(path: imageFile)
        var offset = 0, handle: FileHandle?
        defer { handle?.closeFile() }
        let columns = try file.columns.sorted { $0.key < $1.key }.map { name, column -> Column in
            switch column {
            case .texts(let texts): return Column(name: name, texts: texts)
            case .images(let images):
                if handle == nil {
                    try Data().write(to: imageURL)
                    handle = try FileHandle(forWritingTo: imageURL)
                }
                return Column(
                    name: name,
                    images: try images.map { image in
                        let bytes = try image.read()
                        try handle?.write(contentsOf: bytes)
                        defer { offset += bytes.count }
                        return Image(
                            name: image.name, offset: offset, bytes: bytes.count,
                            sha256: SHA256Digest(of: bytes).hex)
                    })
            }
        }
        let counts = Set(file.columns.values.map(\.count))
        guard counts.count == 1, let rows = counts.first else {
            throw WorkbenchError(.invalidData, "The columns of \(file.path) have \(counts.sorted()) rows; all need as many.")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try encoder.encode(SessionRows(columns: columns, imageFile: imageFile)), name = "rows-\(number).json"
        try bytes.write(to: folder.appending(path: name))
        return (name, SHA256Digest(of: bytes).hex, rows)
    }

    /// Reads a copy.
    ///
    /// - Throws: `conflict` with both digests when it is not what the session was started with.
    init(_ file: SessionRecord.DataFile, folder: URL, session: String) throws {
        let bytes: Data
        do { bytes = try Data(contentsOf: folder.appending(path: file.copy)) } catch {
            throw WorkbenchError(
                .corrupt, "The session's copy of \(file.path) cannot be read: \(error.localizedDescription). Start the session anew.")
        }
        let digest = SHA256Digest(of: bytes).hex
        guard digest == file.copyDigest else {
            throw WorkbenchError.edited(file.path, was: file.copyDigest, is: digest, session: session, what: "the session's copy of ")
        }
        self = try JSONDecoder().decode(SessionRows.self, from: bytes)
    }

    /// - Parameter folder: where the images are.
    func inputs(_ name: String, _ folder: URL) throws -> [EncoderInput] {
        let column = try column(name)
        if let texts = column.texts { return texts.map { .text($0) } }
        let url = folder.appending(path: imageFile)
        return (column.images ?? []).map { image in
            .image(
                ImageFile(name: image.name, digest: image.digest) {
                    let handle = try FileHandle(forReadingFrom: url)
                    defer { handle.closeFile() }
                    try handle.seek(toOffset: UInt64(image.offset))
                    let bytes = try handle.read(upToCount: image.bytes) ?? Data()
                    guard SHA256Digest(of: bytes).hex == image.sha256 else {
                        throw WorkbenchError(.corrupt, "The session's copy of image \(image.name) is damaged. Start the session anew.")
                    }
                    return bytes
                })
        }
    }

    func texts(_ name: String) throws -> [String] {
        guard let texts = try column(name).texts else {
            throw WorkbenchError(.invalidArgument, "Column '\(name)' holds images; labels are texts.")
        }
        return texts
    }

    private func column(_ name: String) throws -> Column {
        guard let column = columns.first(where: { $0.name == name }) else {
            throw WorkbenchError(
                .notFound, "There is no column '\(name)'; there are \(columns.map(\.name).joined(separator: ", ")).",
                details: ["columns": columns.map(\.name).joined(separator: ",")])
        }
        return column
    }
}

extension SessionRows.Image {
    fileprivate var digest: [UInt8] {
        stride(from: 0, to: sha256.utf8.count - 1, by: 2).map { start in
            let digits = sha256.utf8.dropFirst(start).prefix(2)
            return UInt8(String(decoding: Array(digits), as: UTF8.self), radix: 16) ?? 0
        }
    }
}

extension WorkbenchError {
    static func edited(_ path: String, was: String, is digest: String, session: String, what: String = "") -> WorkbenchError {
        WorkbenchError(
            .conflict,
            "Session '\(session)' was started with other rows: \(what)\(path) has SHA-256 \(digest.prefix(16))… now, and had "
                + "\(was.prefix(16))…. Put the former file back, or start another session with the new one.",
            details: ["file": path, "was": was, "is": digest])
    }
}
