import Foundation
import Testing

@testable import Hub

@Suite("Hugging Face hub", .enabled(if: HubServer.canRun, "needs python3, which plays the hub, and curl"))
struct HubSourceTests {
    @Test("A repository is fetched, pinned to its commit, and every file is what the hub has")
    func fetches() async throws {
        let server = try HubServer()
        let harness = try FetchHarness(server)
        let progress = ProgressLog()
        let fetched = try await harness.fetch(progress: progress.add)

        #expect(Set(fetched.files.keys) == HubServer.needed)
        #expect(harness.staged == HubServer.needed)
        for (path, file) in fetched.files {
            #expect(file.sha256 == server.sha256[path], "\(path)")
            let digest = try FileDigest.of(
                harness.staging.appendingPathComponent(path), cancellation: CancellationFlag())
            #expect(digest.sha256 == file.sha256 && digest.size == file.size, "\(path)")
        }
        #expect(fetched.revision == HubServer.commit)
        #expect(fetched.licence == "apache-2.0")
        #expect(fetched.name == "name")
        #expect(fetched.source == "hf:org/name")
        #expect(harness.cached.isEmpty)

        let last = try #require(progress.all.last)
        #expect(last.phase == .verifying && last.doneBytes == last.totalBytes && last.totalBytes > 300_000)
        #expect(progress.all.contains { $0.phase == .downloading && $0.file == "model.safetensors" })
        #expect(progress.all.allSatisfy { $0.doneBytes <= $0.totalBytes })
    }

    @Test("Content is asked for by commit and uncompressed, so that a branch that moves cannot mix two versions")
    func asksByCommit() async throws {
        let server = try HubServer()
        try await FetchHarness(server).fetch()
        let log = try server.log()
        #expect(log.allSatisfy { $0.acceptEncoding == "identity" })
        #expect(log.filter { $0.host == "hub" }.dropFirst().allSatisfy { $0.path.contains(HubServer.commit) })
    }

    @Test("A branch, a tag and a commit name a revision", arguments: ["dev", "v1.0", "refs/pr/3", HubServer.commit])
    func resolvesRevision(revision: String) async throws {
        let server = try HubServer(HubServer.encoder(), ["revisions": ["dev", "v1.0", "refs/pr/3"]])
        let fetched = try await FetchHarness(server).fetch(try PullSource(parsing: "hf:org/name@\(revision)"))
        #expect(fetched.revision == HubServer.commit)
    }

    @Test("The token reaches the hub, and never the host it redirects to")
    func keepsTokenHome() async throws {
        let server = try HubServer(HubServer.encoder(), ["token": "hf_secret"])
        try await FetchHarness(server).fetch(token: "hf_secret")
        let log = try server.log()
        #expect(log.filter { $0.host == "hub" }.allSatisfy { $0.authorization == "Bearer hf_secret" })
        let elsewhere = log.filter { $0.host == "lfs" }
        #expect(!elsewhere.isEmpty)
        #expect(elsewhere.allSatisfy { $0.authorization == nil })
    }

    @Test("HF_TOKEN is used when the caller gives no token")
    func readsTokenFromEnvironment() async throws {
        let server = try HubServer(HubServer.encoder(), ["token": "hf_secret"])
        var harness = try FetchHarness(server)
        harness.environment["HF_TOKEN"] = "hf_secret\n"
        try await harness.fetch()
    }

    @Test("A private repository asks for HF_TOKEN; a wrong token is called wrong")
    func explainsAccess() async throws {
        let server = try HubServer(HubServer.encoder(), ["token": "hf_secret"])
        let harness = try FetchHarness(server)
        let without = await harness.failure()
        #expect(without.code == .permissionDenied)
        #expect(without.message.contains("set HF_TOKEN"))
        let wrong = await harness.failure(token: "hf_other")
        #expect(wrong.code == .permissionDenied)
        #expect(wrong.message.contains("Check HF_TOKEN"))
        #expect(!wrong.message.contains("hf_other"))
    }

    @Test("A gated repository says where to accept its terms")
    func explainsGate() async throws {
        let server = try HubServer(HubServer.encoder(), ["gated": true])
        let error = await (try FetchHarness(server)).failure(token: "hf_secret")
        #expect(error.code == .permissionDenied)
        #expect(error.message.contains("accept its terms at \(server.endpoint)/org/name"))
    }

    @Test(
        "What the hub does not have is named",
        arguments: [("hf:org/other", "no repository org/other"), ("hf:org/name@v9", "no branch, tag or commit 'v9'")])
    func explainsMissing(source: String, message: String) async throws {
        let error = await (try FetchHarness(try HubServer())).failure(try PullSource(parsing: source))
        #expect(error.code == .notFound)
        #expect(error.message.contains(message))
    }

    @Test("Weights in shards are fetched as their index says")
    func fetchesShards() async throws {
        var files = HubServer.encoder()
        files["model.safetensors"] = nil
        files["model-1.safetensors"] = HubServer.noise(5_000)
        files["model-2.safetensors"] = HubServer.noise(7_000)
        files["model-3.safetensors"] = Data("not in the index".utf8)
        files["model.safetensors.index.json"] = Data(
            #"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}"#.utf8)
        let fetched = try await FetchHarness(try HubServer(files)).fetch()
        let shards = Set(fetched.files.keys).subtracting(HubServer.needed)
        #expect(shards == ["model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json"])
    }

    @Test("A repository with a pickle only is refused before anything is downloaded")
    func refusesPickle() async throws {
        var files = HubServer.encoder()
        files["model.safetensors"] = nil
        files["onnx/model.onnx"] = nil
        let server = try HubServer(files)
        let error = await (try FetchHarness(server)).failure()
        #expect(error.code == .unsupported)
        #expect(try server.log().count == 1)
    }

    @Test("An encoder over the limit is refused before anything is downloaded")
    func refusesTooLarge() async throws {
        let server = try HubServer()
        var harness = try FetchHarness(server)
        harness.settings.sizeLimit = 100_000
        let error = await harness.failure()
        #expect(error.code == .limitExceeded)
        #expect(try server.log().allSatisfy { $0.method == "HEAD" || $0.path.hasPrefix("/api") })
    }

    @Test("An empty file is a file")
    func fetchesEmptyFile() async throws {
        var files = HubServer.encoder()
        files["special_tokens_map.json"] = Data()
        let fetched = try await FetchHarness(try HubServer(files)).fetch()
        #expect(fetched.files["special_tokens_map.json"]?.size == 0)
    }

    @Test("A renamed repository is followed on the same host, with the token")
    func followsRename() async throws {
        let server = try HubServer(
            HubServer.encoder(),
            [
                "token": "hf_secret",
                "faults": ["HEAD config.json": [["kind": "moved"]], "config.json": [["kind": "moved"]]],
            ])
        try await FetchHarness(server).fetch(token: "hf_secret")
        #expect(try server.log().filter { $0.path.hasPrefix("/moved/") }.count == 2)
    }

    @Test("HF_ENDPOINT must be an address", arguments: ["ftp://host", "huggingface", "file:///etc"])
    func checksEndpoint(text: String) async throws {
        let error = await (try FetchHarness(hub: text)).failure()
        #expect(error.code == .invalidArgument)
        #expect(error.message.contains("HF_ENDPOINT"))
    }

    @Test("A hub that nobody answers for is unavailable")
    func reportsUnreachable() async throws {
        // Port 1 of the loopback: nothing listens there.
        let error = await (try FetchHarness(hub: "http://127.0.0.1:1")).failure()
        #expect(error.code == .unavailable)
        #expect(error.message.contains("Check the network"))
    }

    @Test("A machine without curl says how to get it")
    func explainsMissingCurl() async throws {
        let error = await (try FetchHarness(["PATH": "/nowhere"])).failure()
        #expect(error.code == .unavailable)
        #expect(error.message.contains("apt install curl"))
    }

    @Test("The token is not among curl's arguments, which every user of the machine can read")
    func hidesToken() async throws {
        let folder = try TemporaryFolder()
        let note = folder.file("note").path
        let curl = try folder.write(
            "#!/bin/sh\n(echo \"$@\"; /usr/bin/env; /bin/cat) > \(note)\nexit 7\n", to: "bin/curl")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: curl.path)
        let harness = try FetchHarness(["PATH": curl.deletingLastPathComponent().path, "HF_TOKEN": "hf_secret"])
        _ = await harness.failure()
        let lines = try String(contentsOfFile: note, encoding: .utf8).split(separator: "\n")
        #expect(lines.filter { $0.contains("hf_secret") } == ["header = \"Authorization: Bearer hf_secret\""])
        #expect(lines.first == "--disable --config -")
    }

    @Test("A git blob's name is computed as git does")
    func namesGitBlob() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("hello\n", to: "file")
        let digest = try FileDigest.of(file, .gitBlob, cancellation: CancellationFlag())
        // `printf 'hello\n' | git hash-object --stdin` and `… | sha256sum`.
        #expect(digest.gitBlob == "ce013625030ba8dba906f756967f9e9ca394464a")
        #expect(digest.sha256 == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")
    }
}
