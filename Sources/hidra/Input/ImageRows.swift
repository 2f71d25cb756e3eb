import Foundation
import HidraClient
import HidraProtocol
import Images
import Tables

/// Images without labels, from whatever a path names: an image, a folder of images or of folders, a tar archive, an IDX file, or a table
/// with a column of paths.
struct ImageRows: Sendable {
    let paths: [String]
    /// Column of a table's paths, and of its labels.
    var column: String?
    var label: String?

    /// Sends the images: columns "image", "label" (empty where there is none) and "path".
    ///
    /// - Returns: the data set's name, and how many there are.
    func upload(_ session: Session) async throws -> (data: String, count: Int) {
        let data = HidraClient.newDataName()
        var sent = 0, files: [Data] = [], names: [String] = [], labels: [String] = [], bytes = 0
        func send() async throws {
            guard !files.isEmpty else { return }
            try await session.client.append(
                [UploadColumn("image", files: files), UploadColumn("label", labels), UploadColumn("path", names)], to: data, after: sent)
            sent += files.count
            (files, names, labels, bytes) = ([], [], [], 0)
        }
        for path in paths {
            let collection = try await open(path)
            while let image = try collection.next() {
                files.append(image.bytes)
                names.append(image.name)
                labels.append(image.label ?? "")
                bytes += image.bytes.count
                if bytes >= 4 << 20 || files.count >= 4096 { try await send() }
            }
            for problem in collection.summary.problems.prefix(20) { try session.console.note(problem.description) }
            if !collection.summary.problems.isEmpty { try session.console.note("\(collection.summary).") }
        }
        try await send()
        guard sent > 0 else {
            throw HidraError(.invalidData, "\(paths.joined(separator: ", ")): there is no image that can be read.")
        }
        return (data, sent)
    }

    private func open(_ path: String) async throws -> any ImageCollection {
        let url = URL(filePath: path)
        do {
            if Paths.isDirectory(path) || ImageCollections.isArchive(url) { return try ImageCollections.open(url) }
            guard ["csv", "tsv", "jsonl"].contains(url.pathExtension.lowercased()) else {
                return ImageList(paths: [path], labels: [""], relativeTo: URL(filePath: "."))
            }
            let table = try await TableInput.read(path, format: nil)
            let known = ["path", "file", "filename", "image"].filter(table.columns.contains)
            guard let name = column ?? (known.count == 1 ? known.first : nil) else {
                throw HidraError(
                    .invalidArgument,
                    "\(path): name the column with the images' paths with --path. Columns: \(table.columns.joined(separator: ", ")).")
            }
            let paths = try table.column(name)
            let labels =
                try label.map { try table.column($0) }
                ?? (table.columns.contains("label") ? table.column("label") : paths.map { _ in "" })
            return ImageList(paths: paths, labels: labels, relativeTo: url.deletingLastPathComponent())
        } catch let error as ImageError {
            throw HidraError(error.code == .notFound ? .notFound : .invalidData, error.description, cause: error)
        }
    }
}
