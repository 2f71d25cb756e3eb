import Foundation
import Testing

@testable import Hub

@Suite("Folder as a source")
struct FolderSourceTests {
    private let folder: TemporaryFolder
    private let harness: FetchHarness

    init() throws {
        folder = try TemporaryFolder()
        harness = try FetchHarness()
        for (path, data) in HubServer.encoder() { try folder.write(data, to: "My Model/\(path)") }
    }

    private var source: PullSource {
        .folder(folder.file("My Model"))
    }

    @Test("The files of an encoder are copied and hashed, the rest is left")
    func copies() async throws {
        let progress = ProgressLog()
        let fetched = try await harness.fetch(source, progress: progress.add)
        #expect(Set(fetched.files.keys) == HubServer.needed)
        #expect(harness.staged == HubServer.needed)
        #expect(fetched.name == "my-model")
        #expect(fetched.revision == nil && fetched.licence == nil)
        for (path, data) in HubServer.encoder() where HubServer.needed.contains(path) {
            #expect(try Data(contentsOf: harness.staging.appendingPathComponent(path)) == data, "\(path)")
            #expect(fetched.files[path]?.size == Int64(data.count))
        }
        // `printf '[]' | sha256sum`
        #expect(
            fetched.files["modules.json"]?.sha256 == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945")
        #expect(progress.all.last?.doneBytes == progress.all.last?.totalBytes)
    }

    @Test("Links are followed, so that the copy stands on its own")
    func followsLinks() async throws {
        let link = folder.file("linked")
        try FileManager.default.createDirectory(at: link, withIntermediateDirectories: true)
        for path in ["config.json", "tokenizer.json", "model.safetensors"] {
            try FileManager.default.createSymbolicLink(
                at: link.appendingPathComponent(path), withDestinationURL: folder.file("My Model/\(path)"))
        }
        _ = try await harness.fetch(.folder(link))
        let copy = harness.staging.appendingPathComponent("model.safetensors")
        let type = try FileManager.default.attributesOfItem(atPath: copy.path)[.type] as? FileAttributeType
        #expect(type == .typeRegular)
    }

    @Test(
        "A folder that lacks something is refused, and nothing is left in staging",
        arguments: ["config.json", "tokenizer.json", "model.safetensors"])
    func refusesIncomplete(path: String) async throws {
        try FileManager.default.removeItem(at: folder.file("My Model/\(path)"))
        // Without it the weights are only in a pickle.
        try FileManager.default.removeItem(at: folder.file("My Model/onnx"))
        let error = await harness.failure(source)
        #expect(error.code == (path == "model.safetensors" ? .unsupported : .invalidData))
        #expect(error.message.contains(path))
    }

    @Test("A folder that is not there, or is a file, is not found", arguments: ["absent", "My Model/config.json"])
    func refusesAbsent(path: String) async {
        let error = await harness.failure(.folder(folder.file(path)))
        #expect(error.code == .notFound)
    }

    @Test("A folder or a pipe in the place of a file is refused, at once", arguments: [true, false])
    func refusesSpecial(isPipe: Bool) async throws {
        let place = folder.file("My Model/tokenizer_config.json")
        try FileManager.default.removeItem(at: place)
        if isPipe {
            try #require(mkfifo(place.path, 0o600) == 0)
        } else {
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
        }
        let error = await harness.failure(source)
        #expect(error.code == .invalidData)
        #expect(error.message.contains("tokenizer_config.json is not a regular file"))
    }

    @Test("A full disk is told from other failures")
    func reportsFullDisk() throws {
        let full = try RawFile(URL(fileURLWithPath: "/dev/full"), .update)
        #expect {
            try Data("x".utf8).withUnsafeBytes { try full.write($0, at: 0) }
        } throws: {
            ($0 as? HubError)?.code == .diskFull
        }
        #expect {
            try Disk.requireSpace(Int64.max, in: URL(fileURLWithPath: "/tmp"))
        } throws: {
            ($0 as? HubError)?.code == .diskFull
        }
    }

    @Test("A staging folder in use is not touched")
    func keepsForeignStaging() async throws {
        try harness.folder.write("mine", to: "staging/file")
        await #expect(throws: HubError.self) { try await harness.fetch(source) }
        #expect(harness.staged == ["file"])
    }

    @Test("A staging folder that was there before is there after a failure, empty")
    func keepsStaging() async throws {
        try FileManager.default.createDirectory(at: harness.staging, withIntermediateDirectories: true)
        try FileManager.default.removeItem(at: folder.file("My Model/config.json"))
        _ = await harness.failure(source)
        #expect(FileManager.default.fileExists(atPath: harness.staging.path))
    }

    @Test(
        "A folder's name becomes an encoder's",
        arguments: [
            ("MiniLM-L6_v2.1", "minilm-l6_v2.1"), ("my model", "my-model"), ("…", "encoder"), ("-x-", "x"),
            (".hidden", "hidden"), ("Ünïcode", "n-code"),
        ])
    func namesEncoder(folder: String, name: String) {
        #expect(FolderSource.name(folder) == name)
    }
}
