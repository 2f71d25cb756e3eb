import Foundation
import State

/// Files of a session's folder.
enum SessionFolder {
    static func graph(_ number: Int) -> String { "graph-\(number).onnx" }

    /// The file of a checkpoint, once its digest has been found right.
    static func verified(_ checkpoint: SessionRecord.Checkpoint, in folder: URL, session: String) throws -> URL {
        let url = folder.appending(path: checkpoint.file)
        let digest = try SHA256Digest(ofFile: url).hex
        guard digest == checkpoint.sha256 else {
            throw WorkbenchError(
                .corrupt,
                "The checkpoint of session '\(session)' is damaged: \(checkpoint.file) has SHA-256 \(digest.prefix(16))…, and had "
                    + "\(checkpoint.sha256.prefix(16))…. Start the session anew.", details: ["was": checkpoint.sha256, "is": digest])
        }
        return url
    }

    /// Writes what a session needs to go on without its client, into a staged folder.
    static func write(_ request: SessionRequest, to folder: URL) throws -> [SessionRecord.DataFile] {
        for (number, file) in request.plan.graphs.enumerated() {
            try (request.graphs[file] ?? Data()).write(to: folder.appending(path: graph(number)))
        }
        return try request.files.enumerated().map { number, file in
            let copy = try SessionRows.write(file, number: number, to: folder)
            return SessionRecord.DataFile(
                path: file.path, origin: file.origin, fileDigest: file.sha256, copyDigest: copy.sha256, copy: copy.name, rows: copy.rows)
        }
    }
}
