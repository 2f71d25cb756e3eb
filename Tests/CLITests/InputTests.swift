import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol
import Tables
import Testing

@testable import hidra

@Suite("Lines from files and pipes")
struct InputTests {
    @Test(
        "Bytes become lines whatever pieces they come in",
        arguments: [
            (["a\nb\n"], ["a", "b"]), (["a\nb"], ["a", "b"]), (["a\r\n", "\r\nb\r\n"], ["a", "", "b"]),
            (["\u{FEFF}a\n"], ["a"]),
            (["na", "ïve \u{1F44D}\n"], ["naïve \u{1F44D}"]), ([""], []), (["\n\n"], ["", ""]),
        ])
    func lines(pieces: [String], expected: [String]) throws {
        for size in [1, 2, 3, 100] {
            var splitter = LineSplitter(name: "test")
            var lines: [String] = []
            let bytes = Array(pieces.joined().utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                lines += try splitter.take(bytes[start..<min(start + size, bytes.count)])
            }
            lines += try splitter.finish()
            #expect(lines == expected, "in pieces of \(size)")
        }
    }

    @Test("A line that is not UTF-8 is named by its number, and the lines before it are kept")
    func invalid() throws {
        var splitter = LineSplitter(name: "texts.txt")
        let error = #expect(throws: HidraError.self) {
            try splitter.take(Array("one\ntwo\n".utf8) + [0xC3, 0x28, 0x0A])
        }
        #expect(error?.code == .invalidData)
        #expect(error?.details["row"] == "3")
        #expect(error?.message.contains("Line 3 of texts.txt") == true)
        #expect(splitter.pending == ["one", "two"])
    }

    @Test("A pipe gives what is there at once and ends with nothing")
    func pipe() async throws {
        let pipe = Pipe()
        let descriptor = dup(pipe.fileHandleForReading.fileDescriptor)
        let feed = LineFeed(descriptor: descriptor, name: "pipe", buffered: 4)
        try pipe.fileHandleForWriting.write(contentsOf: Data("one\n".utf8))
        #expect(try await feed.next(limit: 10) == ["one"])
        let many = (0..<1000).map(String.init)
        try pipe.fileHandleForWriting.write(contentsOf: Data((many.joined(separator: "\n") + "\n").utf8))
        try pipe.fileHandleForWriting.close()
        var lines: [String] = []
        while true {
            let batch = try await feed.next(limit: 3)
            if batch.isEmpty { break }
            #expect(batch.count <= 3)
            lines += batch
        }
        #expect(lines == many)
        #expect(try await feed.next(limit: 3).isEmpty)
    }

    @Test("Waiting for a line ends when the task is cancelled")
    func cancelled() async throws {
        let pipe = Pipe()
        let feed = LineFeed(descriptor: dup(pipe.fileHandleForReading.fileDescriptor), name: "pipe")
        let task = Task { try await feed.next(limit: 1) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try pipe.fileHandleForWriting.close()
    }

    @Test("A file that is not there is an error that names it")
    func missingFile() {
        let error = #expect(throws: HidraError.self) { _ = try LineFeed.file("/no/such/file.txt") }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("/no/such/file.txt") == true)
    }

    @Test("Texts from memory come in batches and in order")
    func batches() async throws {
        var source = TextSource((0..<10).map(String.init))
        #expect(try await source.next(limit: 4) == ["0", "1", "2", "3"])
        #expect(try await source.next(limit: 4) == ["4", "5", "6", "7"])
        #expect(try await source.next(limit: 4) == ["8", "9"])
        #expect(try await source.next(limit: 4).isEmpty)
    }

    @Test("Rows of several texts come from arguments in turn, from columns, and never from too few")
    func rows() async throws {
        var arguments = TextSource(["a1", "b1", "a2", "b2"], areArguments: true)
        #expect(try await arguments.nextRows(limit: 1, of: ["a", "b"]) == [["a1", "b1"]])
        #expect(try await arguments.nextRows(limit: 9, of: ["a", "b"]) == [["a2", "b2"]])
        #expect(try await arguments.nextRows(limit: 9, of: ["a", "b"]).isEmpty)
        var columns = TextSource(columns: [["a1", "a2"], ["b1", "b2"]])
        #expect(try await columns.nextRows(limit: 9, of: ["a", "b"]) == [["a1", "b1"], ["a2", "b2"]])
        #expect(try await columns.nextRows(limit: 9, of: ["a", "b"]).isEmpty)
        var odd = TextSource(["a1", "b1", "a2"], areArguments: true)
        let incomplete = await #expect(throws: HidraError.self) { try await odd.nextRows(limit: 9, of: ["a", "b"]) }
        #expect(incomplete?.message.contains("a, b") == true)
        var one = TextSource(["a1", "a2"])
        let missing = await #expect(throws: HidraError.self) { try await one.nextRows(limit: 9, of: ["a", "b"]) }
        #expect(missing?.message.contains("--column") == true)
        let many = await #expect(throws: HidraError.self) { try await columns.next(limit: 9) }
        #expect(many?.code == .invalidArgument)

        let file = FileManager.default.temporaryDirectory.appending(path: "hidra-cli-\(UUID().uuidString).txt")
        try Data("a1\tb1\na2\t\nonly\n".utf8).write(to: file)
        defer { unlink(file.path) }
        var lines = TextSource(try LineFeed.file(file.path))
        #expect(try await lines.nextRows(limit: 2, of: ["a", "b"]) == [["a1", "b1"], ["a2", ""]])
        let line = await #expect(throws: HidraError.self) { try await lines.nextRows(limit: 2, of: ["a", "b"]) }
        #expect(line?.message.contains("Line 3") == true, "\(line?.message ?? "")")
    }

    @Test("A table without --column is asked for it, with the columns there are")
    func tableColumn() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "hidra-cli-\(UUID().uuidString).csv")
        try Data("message,label\nhello,x\n".utf8).write(to: file)
        defer { unlink(file.path) }
        let without = try TextOptions.parse(["--file", file.path])
        let error = await #expect(throws: HidraError.self) { _ = try await without.open() }
        #expect(error?.message.contains("message, label") == true)
        let options = try TextOptions.parse(["--file", file.path, "--column", "message"])
        var source = try await options.open()
        #expect(try await source.next(limit: 9) == ["hello"])
    }

    @Test(
        "Only what looks like a path is taken for a folder",
        arguments: [
            ("minilm", false), ("hf:org/name", false), ("./minilm", true), ("../x", true), ("/abs", true),
            ("~/x", true), (".", true),
            ("org/name", false), ("/tmp/", true),
        ])
    func folders(source: String, expected: Bool) {
        #expect(Paths.isFolder(source) == expected)
    }

    @Test("Paths are made absolute by name")
    func absolute() {
        #expect(Paths.absolute("/a/./b/../c/") == "/a/c")
        #expect(Paths.absolute("x/y").hasSuffix("/x/y"))
        #expect(Paths.absolute("x").hasPrefix("/"))
        #expect(!Paths.absolute("~/x").contains("~"))
    }
}
