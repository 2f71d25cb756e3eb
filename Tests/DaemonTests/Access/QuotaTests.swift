import Foundation
import HidraClient
import HidraProtocol
import State
import Synchronization
import TestSupport
import Testing
import Workbench

@testable import Daemon

@Suite("Quotas", .serialized)
struct QuotaTests {
    /// The error of a request that must fail with `limit_exceeded`, and names its quota.
    private static func expectExceeded(_ quota: String, _ limit: String, _ body: () async throws -> Void) async {
        let error = await #expect(throws: HidraError.self) { try await body() }
        #expect(error?.code == .limitExceeded && error?.details["quota"] == quota, "\(String(describing: error))")
        #expect(error?.message.contains(limit) == true, "\(error?.message ?? "")")
    }

    @Test("Of a key: requests open at a time and bytes of data, together for all its clients; others are not touched")
    func ofKeys() async throws {
        let network = try await NetworkDaemon()
        var quota = Hidra_V1_Quota()
        quota.openRequests = 1
        quota.dataBytes = 20_000
        let key = try await network.local.createKey("small", role: .train, quota: quota)
        let first = try await network.connect(key), second = try await network.connect(key)
        let data = try await first.upload(columns: letterRows(200))
        let training = Task { try await first.train(endlessTraining("long", data)) { _ in } }
        try await Task.sleep(for: .milliseconds(300))
        for client in [first, second] { await Self.expectExceeded("open_requests", "1 ") { _ = try await client.list() } }
        // What is no request in progress goes on: rows, and the control socket.
        await Self.expectExceeded("data_bytes", "20000") { _ = try await second.upload(columns: letterRows(400)) }
        _ = try await second.upload(columns: letterRows(50))
        #expect(try await network.connect(as: .admin).list().encoders.count == 1)
        await first.close()
        _ = await training.result
        #expect(try await network.local.keys().first { $0.name == "small" }?.quota == quota)
        await second.close()
        try await network.stop()
    }

    @Test("Of the environment: for clients of this machine too, and a word that is no number is refused at the start")
    func ofTheEnvironment() async throws {
        let daemon = try RunningDaemon(environment: [
            "HIDRA_QUOTA_DATA_BYTES": "10000", "HIDRA_QUOTA_CACHE_BYTES": "2000", "HIDRA_QUOTA_CORE_SECONDS": "100000",
        ])
        let client = try await daemon.connectWithEncoder()
        await Self.expectExceeded("data_bytes", "10000") { _ = try await client.upload(columns: letterRows(300)) }
        let data = try await client.upload(columns: letterRows(60))
        // 60 vectors of 32 numbers: 7,680 bytes, were they all different; some are equal.
        await Self.expectExceeded("cache_bytes", "2000") { _ = try await client.train(trainRequest("x", data, epochs: 1)) { _ in } }
        #expect(try await client.embed(encoder: "tiny", .texts(["a b"])).rows == 1)
        await client.close()
        try await daemon.stop()
        #expect(throws: Failure.self) { try RunningDaemon(environment: ["HIDRA_QUOTA_OPEN_REQUESTS": "many"]) }
    }

    @Test("Core-seconds end a training that uses them up, and every later request of that day")
    func coreSeconds() async throws {
        let network = try await NetworkDaemon()
        var quota = Hidra_V1_Quota()
        quota.coreSeconds = 0.5
        let key = try await network.local.createKey("brief", role: .train, quota: quota)
        let client = try await network.connect(key)
        let data = try await client.upload(columns: letterRows(400))
        await Self.expectExceeded("core_seconds", "0.5") {
            _ = try await client.train(endlessTraining("long", data)) { _ in }
        }
        await Self.expectExceeded("core_seconds", "0.5") { _ = try await client.embed(encoder: "tiny", .texts(["never seen before"])) }
        #expect(try await client.list().heads.isEmpty)
        #expect(try await network.local.embed(encoder: "tiny", .texts(["never seen before"])).rows == 1)
        await client.close()
        try await network.stop()
    }

    @Test("A day's use is counted on by the next daemon")
    func restart() async throws {
        let folder = try TemporaryFolder(), environment = ["HIDRA_QUOTA_CORE_SECONDS": "1"]
        let daemon = try RunningDaemon(folder: folder, environment: environment)
        let client = try await daemon.connectWithEncoder()
        let data = try await client.upload(columns: letterRows(400))
        await Self.expectExceeded("core_seconds", "1 ") { _ = try await client.train(endlessTraining("long", data)) { _ in } }
        await client.close()
        try await daemon.stop()
        let next = try RunningDaemon(folder: folder, environment: environment)
        let later = try await next.connect()
        await Self.expectExceeded("core_seconds", "1 ") { _ = try await later.embed(encoder: "tiny", .texts(["never seen before"])) }
        await later.close()
        try await next.stop()
    }

    @Test("What was used is written down for its owner alone, for each account, and a damaged file is said and counts for nothing")
    func file() throws {
        let folder = try TemporaryFolder(), file = folder.url.appending(path: "usage.json")
        let notes = Mutex<[String]>([])
        let open = { try UsageFile(folder.url) { note in notes.withLock { $0.append(note) } } }
        let usage = try open()
        usage.write()
        #expect(!FileManager.default.fileExists(atPath: file.path), "nothing was used")
        usage.meter(of: "ana").charge(coreSeconds: 1.5)
        try usage.meter(of: "").spend(cacheBytes: 77)
        usage.write()
        #expect(try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int == 0o600)
        let next = try open()
        #expect(next.meter(of: "ana").used.coreSeconds == 1.5 && next.meter(of: "").used.cacheBytes == 77)
        #expect(next.meter(of: "ben").used.cacheBytes == 0 && notes.withLock { $0.isEmpty })
        try Data("{".utf8).write(to: file)
        #expect(try open().meter(of: "ana").used.coreSeconds == 0 && notes.withLock { $0.count } == 1)
        let yesterday = Meter(used: Meter.Used(day: 1, coreSeconds: 9)) { 2 }
        #expect(yesterday.used.coreSeconds == 0)
    }

    @Test("A meter begins anew with the day, and charges nothing for what it refuses")
    func meter() throws {
        let day = Mutex(1)
        let meter = Meter(Meter.Limits(coreSeconds: 2, cacheBytes: 100)) { day.withLock { $0 } }
        meter.charge(coreSeconds: 1.5)
        try meter.requireTime()
        meter.charge(coreSeconds: 0.5)
        #expect(throws: WorkbenchError.self) { try meter.requireTime() }
        try meter.spend(cacheBytes: 90)
        #expect(throws: WorkbenchError.self) { try meter.spend(cacheBytes: 11) }
        #expect(meter.used.cacheBytes == 90)
        day.withLock { $0 = 2 }
        try meter.requireTime()
        try meter.spend(cacheBytes: 100)
    }
}
