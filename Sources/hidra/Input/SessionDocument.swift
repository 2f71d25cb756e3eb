import Digests
import Foundation
import HidraClient
import HidraProtocol
import Sessions
import Tables

/// A session document on disk, and the files it names.
struct SessionDocument: Sendable {
    let path: String
    let text: String
    let plan: SessionPlan
    private let folder: URL

    /// - Throws: `notFound`, or what is wrong with the document, with its line.
    init(_ path: String) throws {
        self.path = path
        let url = URL(filePath: path)
        folder = url.deletingLastPathComponent()
        guard FileManager.default.fileExists(atPath: path) else {
            throw HidraError(.notFound, "There is no file \(path). `hidra session init FILE` writes a document from the data it sees.")
        }
        guard let text = String(bytes: try Data(contentsOf: url), encoding: .utf8) else {
            throw HidraError(.invalidArgument, "\(path) is not UTF-8.")
        }
        self.text = text
        do { plan = try SessionPlan(document: text) } catch {
            throw HidraError(
                error.code == .newerVersion ? .unsupported : .invalidArgument, "\(path), \(error)",
                details: ["line": error.line.map(String.init), "suggestion": error.suggestion].compactMapValues { $0 })
        }
    }

    /// Looks for faults in the rows of each head, and prints them.
    func checkRows(_ session: Session) async throws {
        try SessionDataCheck.report(try await SessionDataCheck.run(plan, folder: folder, session), session.console)
    }

    func url(_ file: String) -> URL { file.hasPrefix("/") ? URL(filePath: file) : folder.appending(path: file) }

    /// Reads and sends the rows of all files, each once.
    func upload(_ session: Session) async throws -> [Hidra_V1_SessionFile] {
        var files: [Hidra_V1_SessionFile] = []
        for path in plan.files {
            let url = url(path), table = try await TableInput.read(url.path, format: nil)
            var file = Self.file(path, url)
            file.sha256 = try Self.digest(url)
            file.data = try await upload(path, table, relativeTo: url.deletingLastPathComponent(), session)
            files.append(file)
        }
        for head in plan.heads {
            guard case .graph(let path) = head.kind, !files.contains(where: { $0.path == path }) else { continue }
            var file = Self.file(path, url(path))
            file.graph = try Data(contentsOf: url(path))
            files.append(file)
        }
        return files
    }

    private func upload(_ path: String, _ table: Table, relativeTo folder: URL, _ session: Session) async throws -> String {
        let heads = plan.heads.filter { $0.data == path || $0.test == path }
        let images = Set(heads.flatMap(\.images)), names = heads.flatMap { $0.columns + [$0.label] }
            .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let columns = try names.map { ($0, try table.column($0)) }
        guard !images.isEmpty else { return try await session.client.upload(columns: columns.map { UploadColumn($0, $1) }) }
        // A few rows at a time: images are large.
        let data = HidraClient.newDataName(), rows = columns.first?.1.count ?? 0
        for start in stride(from: 0, to: rows, by: 16) {
            let part = start..<min(start + 16, rows)
            let chunk = try columns.map { name, cells in
                images.contains(name)
                    ? UploadColumn(name, files: try cells[part].map { try Self.read($0, relativeTo: folder) })
                    : UploadColumn(name, Array(cells[part]))
            }
            try await session.client.append(chunk, to: data, after: start)
        }
        return data
    }

    private static func read(_ path: String, relativeTo folder: URL) throws -> Data {
        let url = path.hasPrefix("/") ? URL(filePath: path) : folder.appending(path: path)
        do { return try Data(contentsOf: url) } catch {
            throw HidraError(.notFound, "\(url.path) cannot be read: \(error.localizedDescription)")
        }
    }

    private static func file(_ path: String, _ url: URL) -> Hidra_V1_SessionFile {
        var file = Hidra_V1_SessionFile()
        file.path = path
        file.origin = url.standardizedFileURL.path
        return file
    }

    /// SHA-256 of a file, hexadecimal.
    static func digest(_ url: URL) throws -> String {
        let handle = try FileHandle(forReadingFrom: url)
        defer { handle.closeFile() }
        var digest = MessageDigest(.sha256)
        while let block = try handle.read(upToCount: 1 << 20), !block.isEmpty { digest.update(block) }
        return digest.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The files of a session as they are now, where they are still to be found: the daemon compares their digests.
    static func present(_ session: Hidra_V1_Session) throws -> [Hidra_V1_SessionFile] {
        try session.data.filter { !$0.origin.isEmpty && FileManager.default.fileExists(atPath: $0.origin) }.map { data in
            var file = Hidra_V1_SessionFile()
            file.path = data.path
            file.origin = data.origin
            file.sha256 = try digest(URL(filePath: data.origin))
            return file
        }
    }
}
