import Foundation
import Tables
import Testing

@Suite("Tables are read from files")
struct TableTests {
    private static let shared: URL = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = ProcessInfo.processInfo.environment["HIDRA_SHARED"] ?? "../shared"
        return URL(fileURLWithPath: path, relativeTo: root)
    }()
    private static let banking = shared.appendingPathComponent("data/banking77/train.csv").path

    /// A path in a folder of its own, which `body` may fill.
    private func withTemporaryFile(_ name: String, _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tables-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        try body(folder.appendingPathComponent(name).path)
    }

    @Test(
        "The extension tells the format",
        arguments: [
            ("a.csv", TableFormat.csv), ("/x.y/a.CSV", .csv), ("a.tsv", .tsv), ("a.tab", .tsv), ("a.b.jsonl", .jsonl),
            ("a.ndjson", .jsonl),
        ])
    func formats(path: String, format: TableFormat) throws {
        #expect(try TableFormat(path: path) == format)
    }

    @Test("Another extension is refused", arguments: ["a.txt", "csv", "/dev/stdin", "a.csv.gz", "", "x.csv/a"])
    func unknownFormat(path: String) throws {
        let error = try #require(throws: TableError.self) { try TableFormat(path: path) }
        #expect(error.code == .unknownFormat)
        #expect(error.message.contains(".jsonl"))
    }

    @Test("A format that is given goes before the extension")
    func explicitFormat() throws {
        try withTemporaryFile("a.txt") { path in
            try Data("x\ty\n1\t2\n".utf8).write(to: URL(fileURLWithPath: path))
            #expect(try Table.read(path: path, format: .tsv).column("y") == ["2"])
        }
    }

    @Test("A missing column is reported with the nearest name and all names")
    func missingColumn() throws {
        let table = try Table.read(data: Data("message,label\nhi,x\n".utf8), format: .csv, name: "t.csv")
        let error = try #require(throws: TableError.self) { try table.column("mesage") }
        #expect(error.code == .missingColumn)
        #expect(
            error.description
                == "t.csv: there is no column 'mesage'; did you mean 'message'? Columns: 'message', 'label'")
        let other = try #require(throws: TableError.self) { try table.column("zzzzzz") }
        #expect(other.message == "there is no column 'zzzzzz'. Columns: 'message', 'label'")
    }

    @Test("A file above the limit is refused before it is read")
    func tooLarge() throws {
        try withTemporaryFile("a.csv") { path in
            // A sparse file of 3 GiB: reading it would take the memory that the limit protects.
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try file.truncate(atOffset: 3 << 30)
            try file.close()
            let error = try #require(throws: TableError.self) { try Table.read(path: path) }
            #expect(error.code == .tooLarge)
            #expect(error.source == path)
        }
        let bytes = Data("a\n1\n".utf8)
        let error = try #require(throws: TableError.self) {
            try Table.read(data: bytes, format: .csv, name: "pipe", sizeLimit: bytes.count - 1)
        }
        #expect(error.code == .tooLarge)
        #expect(try Table.read(data: bytes, format: .csv, name: "pipe", sizeLimit: bytes.count).rows == 1)
    }

    @Test("A pipe is read to its end, and no further than the limit")
    func pipe() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("a\n1\n2\n".utf8))
        try pipe.fileHandleForWriting.close()
        let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        #expect(try Table.read(path: path, format: .csv).rows == 2)

        let other = Pipe()
        try other.fileHandleForWriting.write(contentsOf: Data("a\n1\n2\n".utf8))
        try other.fileHandleForWriting.close()
        let error = try #require(throws: TableError.self) {
            try Table.read(path: "/dev/fd/\(other.fileHandleForReading.fileDescriptor)", format: .csv, sizeLimit: 3)
        }
        #expect(error.code == .tooLarge)
    }

    @Test("A file that is not there, and a folder, are told apart")
    func missingFile() throws {
        try withTemporaryFile("a.csv") { path in
            #expect(try #require(throws: TableError.self) { try Table.read(path: path) }.code == .notFound)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            #expect(try #require(throws: TableError.self) { try Table.read(path: path) }.code == .unreadable)
        }
    }

    @Test("Banking77 has its 10,003 rows and 77 labels", .enabled(if: FileManager.default.fileExists(atPath: banking)))
    func banking77() throws {
        let table = try Table.read(path: Self.banking)
        #expect(table.columns == ["text", "category"])
        #expect(table.rows == 10_003)
        #expect(Set(try table.column("category")).count == 77)
        #expect(try table.column("text").allSatisfy { !$0.isEmpty })
    }
}
