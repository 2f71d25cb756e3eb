import Foundation
import Testing

@testable import Hub

@Suite("A hub that fails", .enabled(if: HubServer.canRun, "needs python3, which plays the hub, and curl"))
struct HubFaultTests {
    private typealias Fault = [String: Any]
    private static let weights = "model.safetensors"

    private func server(_ faults: [String: [[String: Any]]]) throws -> HubServer {
        try HubServer(HubServer.encoder(), ["faults": faults])
    }

    /// Name of the weights' partial file.
    private func partial(_ server: HubServer) -> String {
        "\(server.sha256[Self.weights] ?? "").incomplete"
    }

    @Test("A connection that breaks in the middle is continued where it broke")
    func continues() async throws {
        let server = try server([
            Self.weights: [["kind": "drop", "after": 100_000], ["kind": "drop", "after": 50_000]]
        ])
        let fetched = try await FetchHarness(server).fetch()
        #expect(fetched.files[Self.weights]?.sha256 == server.sha256[Self.weights])
        let requests = try server.downloads(Self.weights, from: "lfs")
        #expect(requests.map(\.range) == [nil, "bytes=100000-", "bytes=150000-"])
        #expect(requests.map(\.ifRange) == [nil, "\"lfs-300000\"", "\"lfs-300000\""])
    }

    @Test("A later fetch goes on where an earlier one gave up")
    func resumesLater() async throws {
        let server = try server([Self.weights: (0..<4).map { _ in ["kind": "drop", "after": 20_000] }])
        let harness = try FetchHarness(server)
        let error = await harness.failure()
        #expect(error.code == .unavailable)
        #expect(harness.cached.contains(partial(server)))
        let fetched = try await harness.fetch()
        #expect(fetched.files[Self.weights]?.sha256 == server.sha256[Self.weights])
        #expect(try server.downloads(Self.weights, from: "lfs").last?.range == "bytes=80000-")
        #expect(harness.cached.isEmpty)
    }

    @Test("A partial download that was altered is found out and fetched anew")
    func refetchesAltered() async throws {
        let server = try server([Self.weights: (0..<4).map { _ in ["kind": "drop", "after": 20_000] }])
        let harness = try FetchHarness(server)
        _ = await harness.failure()
        let file = harness.cache.appendingPathComponent(partial(server))
        var data = try Data(contentsOf: file)
        data[10] ^= 1
        try data.write(to: file)
        let fetched = try await harness.fetch()
        #expect(fetched.files[Self.weights]?.sha256 == server.sha256[Self.weights])
        #expect(try server.downloads(Self.weights, from: "lfs").suffix(2).map(\.range) == ["bytes=80000-", nil])
    }

    @Test("A complete download in the cache is verified before it is used", arguments: [true, false])
    func verifiesCached(isSound: Bool) async throws {
        let files = HubServer.encoder()
        let server = try HubServer(files)
        let harness = try FetchHarness(server)
        var data = try #require(files[Self.weights])
        if !isSound { data[data.count - 1] ^= 1 }
        try harness.folder.write(data, to: "cache/\(partial(server))")
        let fetched = try await harness.fetch()
        #expect(fetched.files[Self.weights]?.sha256 == server.sha256[Self.weights])
        #expect(try server.downloads(Self.weights, from: "lfs").count == (isSound ? 0 : 1))
    }

    @Test("A partial download longer than the file is thrown away")
    func discardsTooLong() async throws {
        let server = try HubServer()
        let harness = try FetchHarness(server)
        try harness.folder.write(HubServer.noise(300_001), to: "cache/\(partial(server))")
        try await harness.fetch()
        #expect(try server.downloads(Self.weights, from: "lfs").map(\.range) == [nil])
    }

    @Test("Another range than was asked for is not taken")
    func refusesOtherRange() async throws {
        let server = try server([Self.weights: [["kind": "drop", "after": 1_000], ["kind": "elsewhere"]]])
        let fetched = try await FetchHarness(server).fetch()
        #expect(fetched.files[Self.weights]?.sha256 == server.sha256[Self.weights])
    }

    @Test("A server that ignores the range is read from the start")
    func acceptsWhole() async throws {
        let server = try server([Self.weights: [["kind": "drop", "after": 1_000], ["kind": "whole"]]])
        let fetched = try await FetchHarness(server).fetch()
        #expect(fetched.files[Self.weights]?.sha256 == server.sha256[Self.weights])
    }

    @Test("Content with the wrong digest is fetched once more, and then refused")
    func refusesWrongDigest() async throws {
        let once = try server([Self.weights: [["kind": "corrupt", "at": 5]]])
        try await FetchHarness(once).fetch()

        let always = try server([Self.weights: (0..<3).map { _ in ["kind": "corrupt", "at": 5] }])
        let harness = try FetchHarness(always)
        let error = await harness.failure()
        #expect(error.code == .corrupt)
        #expect(error.message.contains(Self.weights))
        #expect(!harness.cached.contains(partial(always)))
    }

    @Test("A small file outside of LFS is bound to its git digest")
    func verifiesGitBlob() async throws {
        let server = try server(["config.json": [["kind": "corrupt", "at": 2], ["kind": "corrupt", "at": 2]]])
        let error = await (try FetchHarness(server)).failure()
        #expect(error.code == .corrupt)
        #expect(error.message.contains("config.json"))
    }

    @Test("A body shorter or longer than promised is not taken", arguments: ["short", "long"])
    func checksLength(kind: String) async throws {
        let server = try server(["tokenizer.json": [["kind": kind, "by": 100]]])
        let fetched = try await FetchHarness(server).fetch()
        #expect(fetched.files["tokenizer.json"]?.sha256 == server.sha256["tokenizer.json"])
        #expect(try server.downloads("tokenizer.json", from: "hub").count == 2)
    }

    @Test("A server that asks for a pause gets one", arguments: [429, 503])
    func waitsAsAsked(status: Int) async throws {
        let fault: Fault = ["kind": "status", "code": status, "retry_after": 1]
        let server = try server(["api": [fault], Self.weights: [["kind": "status", "code": status, "retry_after": 0]]])
        let start = ContinuousClock.now
        try await FetchHarness(server).fetch()
        #expect(ContinuousClock.now - start >= .seconds(1))
    }

    @Test("A server that asks for too long a pause is not waited for")
    func refusesLongPause() async throws {
        let server = try server(["api": [["kind": "status", "code": 429, "retry_after": 3_600]]])
        let error = await (try FetchHarness(server)).failure()
        #expect(error.code == .unavailable)
        #expect(error.message.contains("429"))
        #expect(try server.log().count == 1)
    }

    @Test("A server in lasting trouble is given up after some tries")
    func givesUp() async throws {
        let server = try server(["api": (0..<9).map { _ in ["kind": "status", "code": 502] }])
        let error = await (try FetchHarness(server)).failure()
        #expect(error.code == .unavailable)
        #expect(try server.log().count == 4)
    }

    @Test("Redirects in a circle, or out of HTTP, are not followed", arguments: ["loop", "downgrade"])
    func refusesRedirects(kind: String) async throws {
        let server = try server(["HEAD config.json": [[String: String]](repeating: ["kind": kind], count: 20)])
        let error = await (try FetchHarness(server)).failure()
        #expect(error.code == .unavailable)
        #expect(error.message.contains("redirects"))
    }

    @Test("A server that stops sending is given up after the idle time-out, and tried again")
    func timesOut() async throws {
        let server = try server([Self.weights: [["kind": "stall", "after": 1_000]]])
        var harness = try FetchHarness(server)
        harness.settings.idleTimeout = .seconds(1)
        try await harness.fetch()
        #expect(try server.downloads(Self.weights, from: "lfs").map(\.range) == [nil, "bytes=1000-"])
    }

    @Test("Bytes that are not HTTP are an error, not a crash")
    func survivesGarbage() async throws {
        let server = try server(["api": (0..<4).map { _ in ["kind": "garbage"] }])
        let error = await (try FetchHarness(server)).failure()
        #expect(error.code == .unavailable)
    }

    @Test("A digest that the hub does not keep is found out")
    func refusesWrongPromise() async throws {
        let server = try server(["HEAD config.json": [["kind": "wrong_etag"]]])
        let error = await (try FetchHarness(server)).failure()
        #expect(error.code == .corrupt)
    }

    @Test("A cancelled fetch ends at once, leaves nothing in staging, and keeps what it has for the next")
    func cancels() async throws {
        let server = try server([Self.weights: [["kind": "stall", "after": 100_000]]])
        var settings = try FetchHarness(server)
        settings.settings.idleTimeout = .seconds(120)
        let harness = settings
        let task = Task { try await harness.fetch() }
        let file = harness.cache.appendingPathComponent(partial(server))
        while try (Disk.fileSize(file) ?? 0) < 100_000 { try await Task.sleep(for: .milliseconds(10)) }
        let start = ContinuousClock.now
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ContinuousClock.now - start < .seconds(30))
        #expect(harness.staged.isEmpty)
        try await harness.fetch()
        #expect(try server.downloads(Self.weights, from: "lfs").last?.range == "bytes=100000-")
    }

    @Test("A catalogue entry binds the hub's files to its own digests")
    func bindsToCatalogue() async throws {
        let files = HubServer.encoder()
        let server = try HubServer(files)
        var harness = try FetchHarness(server)
        var entry = Catalogue.Entry(
            name: "tiny", displayName: "Tiny", licence: "MIT", summary: "",
            files: try HubServer.needed.sorted().map { path in
                let data = try #require(files[path])
                return Catalogue.File(path, size: Int64(data.count), sha256: try #require(server.sha256[path]))
            },
            sources: [.hub(HubRepository(organisation: "org", name: "name"))])
        harness.catalogue = Catalogue(entries: [entry])
        let fetched = try await harness.fetch(.catalogue("tiny"))
        #expect(fetched.name == "tiny" && fetched.licence == "MIT" && fetched.revision == HubServer.commit)

        let other = try FetchHarness(server)
        for index in entry.files.indices where ["config.json", Self.weights].contains(entry.files[index].path) {
            var changed = entry
            changed.files[index].sha256 = String(repeating: "0", count: 64)
            harness = other
            harness.catalogue = Catalogue(entries: [changed])
            let error = await harness.failure(.catalogue("tiny"))
            #expect(error.code == .corrupt)
            #expect(error.message.contains(entry.files[index].path))
        }
        entry.files = []
    }
}
