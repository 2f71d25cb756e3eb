import Foundation
import Glibc
import HidraClient
import HidraProtocol
import TestSupport
import Testing

@testable import Daemon

@Suite("Heartbeats of clients", .serialized)
struct SilenceTests {
    @Test("A client is lost when it is overdue twice in a row, and not for what it did not promise")
    func watch() {
        var watch = SilenceWatch()
        let client = ClientIdentity([1]), other = ClientIdentity([2]), start = SuspendingClock.Instant.now
        watch.expect(client, .seconds(1), start)
        #expect(watch.lost(start + .seconds(3)).isEmpty)
        // The daemon may have been stopped itself: what was sent meanwhile is read before it looks again.
        #expect(watch.lost(start + .seconds(10)).isEmpty)
        watch.heard(client, start + .seconds(10))
        #expect(watch.lost(start + .seconds(12)).isEmpty)
        #expect(watch.lost(start + .seconds(14)).isEmpty)
        #expect(watch.lost(start + .seconds(15)) == [client])
        #expect(watch.lost(start + .seconds(99)).isEmpty)
        watch.expect(other, .zero, start)
        #expect(watch.lost(start + .seconds(99)).isEmpty && watch.lost(start + .seconds(99)).isEmpty)
    }

    @Test("A client that stops for longer than it promised is released, and told so when it goes on")
    func stopped() async throws {
        let program = Golden.packageRoot.appending(path: ".build/release/hidra")
        try #require(FileManager.default.isExecutableFile(atPath: program.path), "build the product hidra first")
        var configuration = SocketLoop.Configuration()
        configuration.probeInterval = .milliseconds(200)
        let daemon = try RunningDaemon(configuration: configuration)
        let watcher = try await daemon.connect()
        let process = Process(), errors = Pipe()
        process.executableURL = program
        process.arguments = ["events", "--follow"]
        process.environment = ProcessInfo.processInfo.environment.merging(["HIDRA_HOME": daemon.home.path, "HIDRA_HEARTBEAT": "1"]) { $1 }
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        try await Self.wait("it connects") { try await watcher.status().clients == 2 }
        // It is alive for longer than three times its promise, because it speaks.
        try await Task.sleep(for: .seconds(4))
        #expect(try await watcher.status().clients == 2)
        kill(process.processIdentifier, SIGSTOP)
        let start = ContinuousClock.now
        try await Self.wait("it is released") { try await watcher.status().clients == 1 }
        #expect(ContinuousClock.now - start > .seconds(2))
        #expect(process.isRunning)
        kill(process.processIdentifier, SIGCONT)
        let text = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == ErrorCode.unavailable.exitCode)
        #expect(String(decoding: text, as: UTF8.self).contains("Connect again"), "\(String(decoding: text, as: UTF8.self))")
        await watcher.close()
        try await daemon.stop()
    }

    @Test("What a silent client had is released, and whatever it sends later is answered with a goodbye")
    func released() async throws {
        var configuration = SocketLoop.Configuration()
        configuration.probeInterval = .milliseconds(100)
        let daemon = try RunningDaemon(configuration: configuration)
        let watcher = try await daemon.connectWithEncoder()
        let endpoint = Endpoints.current(daemon.home).control
        var hello = Hidra_V1_Hello()
        (hello.protocolMin, hello.protocolMax, hello.heartbeatSeconds) = (1, 1, 1)
        let greeting = try Frames.encode(WireMessage(.reply(to: 1, .hello(hello))), limit: 1 << 20)
        let late = try Frames.encode(WireMessage(.reply(to: 2, .status(.init()))), limit: 1 << 20)
        let replies = try await RawPeer.onThread {
            try RawPeer.converse(endpoint, [(greeting, .seconds(5)), (late, .milliseconds(500))])
        }
        #expect(replies.first?.welcome.protocol == 1)
        let goodbyes = replies.filter { if case .goodbye = $0.kind { true } else { false } }
        #expect(goodbyes.count == 2 && goodbyes[0].goodbye.reason.contains("Connect again"))
        #expect(!replies.contains { $0.requestID == 2 })
        #expect(try await watcher.status().clients == 1)
        await watcher.close()
        try await daemon.stop()
    }

    private static func wait(_ what: String, until isTrue: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(15)
        while try await !isTrue() {
            guard ContinuousClock.now < deadline else { throw RawPeer.Failure(message: "never: \(what)") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
