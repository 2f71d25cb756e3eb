import Foundation
import Testing

@testable import Archives

@Suite("ZIP archives")
struct ZipFileTests {
    static let members = [
        ZipFile.Member("a.txt", Data("hello".utf8)), ZipFile.Member("folder/ä.bin", Data((0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })),
        ZipFile.Member("empty", Data()),
    ]

    @Test("what is written is read again, and the same members give the same bytes")
    func roundTrip() throws {
        let file = try ZipFile.encode(Self.members)
        #expect(try ZipFile.decode(file) == Self.members)
        #expect(try ZipFile.encode(Self.members) == file)
    }

    @Test("Python's zipfile reads it, and what Python compresses is read here", .enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/python3")))
    func python() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let ours = folder.appending(path: "ours.zip"), theirs = folder.appending(path: "theirs.zip")
        try ZipFile.encode(Self.members).write(to: ours)
        let script = """
            import sys, zipfile
            ours = zipfile.ZipFile(sys.argv[1])
            assert ours.testzip() is None and [m.filename for m in ours.infolist()] == ['a.txt', 'folder/ä.bin', 'empty']
            with zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as theirs:
                for member in ours.infolist(): theirs.writestr(member.filename, ours.read(member))
            """
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", script, ours.path, theirs.path]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        #expect(try ZipFile.decode(Data(contentsOf: theirs)) == Self.members)
    }

    @Test("every cut and many a changed byte are errors, never crashes")
    func damage() throws {
        let file = try ZipFile.encode([ZipFile.Member("a.txt", Data("hello, hello".utf8))])
        for length in 0..<file.count { #expect(throws: ArchiveError.self, "cut to \(length)") { try ZipFile.decode(file.prefix(length)) } }
        for place in file.indices {
            var damaged = file
            damaged[place] ^= 0x55
            // Dates and attributes do not matter; the content does.
            if let read = try? ZipFile.decode(damaged) { #expect(read.map(\.bytes) == [Data("hello, hello".utf8)], "byte \(place)") }
        }
    }

    @Test("two members of one name are refused, written or read")
    func twice() {
        #expect(throws: ArchiveError.self) { try ZipFile.encode([ZipFile.Member("a", Data()), ZipFile.Member("a", Data())]) }
    }
}
