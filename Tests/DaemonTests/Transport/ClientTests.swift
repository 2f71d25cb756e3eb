import Daemon
import Foundation
import HidraClient
import HidraProtocol
import Synchronization
import Testing

@Suite("The client")
struct ClientTests {
    /// Connects to a daemon of the test, never starting a real one.
    static func connect(
        _ daemon: EchoDaemon, silence: Duration = .seconds(30)
    ) async throws -> HidraClient {
        try await HidraClient.connect(
            home: daemon.home.home, client: "tests", startDaemon: false, timeout: .seconds(5), silence: silence)
    }

    @Test("Connecting to a running daemon takes milliseconds")
    func connectTime() async throws {
        let daemon = try EchoDaemon()
        var times: [Duration] = []
        for _ in 0..<20 {
            let start = ContinuousClock.now
            let client = try await Self.connect(daemon)
            times.append(.now - start)
            #expect(client.welcome.daemonVersion == "echo")
            await client.close()
        }
        // Other tests run at the same time, so only the fastest says something about the client.
        let fastest = try #require(times.min())
        #expect(fastest < .milliseconds(50), "\(times)")
        await daemon.stop()
    }

    @Test("Both sockets of a client have one identity")
    func identity() async throws {
        let daemon = try EchoDaemon(answer: { message, loop in loop.reply(.listReply(.init()), to: message) })
        let client = try await Self.connect(daemon)
        _ = try await client.list()
        let clients = Set(daemon.received.values.map(\.client))
        #expect(clients.count == 1)
        #expect(Set(daemon.received.values.map(\.channel)) == [.control, .work])
        await client.close()
        #expect(await daemon.received.first { if case .goodbye = $0.envelope.kind { true } else { false } } != nil)
        await daemon.stop()
    }

    @Test("Replies find their requests, a thousand at a time and out of order")
    func concurrent() async throws {
        let waiting = Mutex<[InboundMessage]>([])
        let daemon = try EchoDaemon(answer: { message, loop in
            let batch = waiting.withLock { waiting -> [InboundMessage] in
                waiting.append(message)
                guard waiting.count == 100 else { return [] }
                defer { waiting = [] }
                return waiting.reversed()
            }
            for message in batch {
                var reply = Hidra_V1_ShowReply()
                reply.run.id = message.envelope.show.name
                loop.reply(.showReply(reply), to: message)
            }
        })
        let client = try await Self.connect(daemon)
        let matched = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<1000 {
                group.addTask { try await client.show("run-\(index)").run.id == "run-\(index)" }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(matched == 1000)
        await client.close()
        await daemon.stop()
    }

    @Test("Progress arrives in order before the reply")
    func progress() async throws {
        let daemon = try EchoDaemon(answer: { message, loop in
            for step in 1...50 {
                var progress = Hidra_V1_Progress()
                progress.done = UInt64(step)
                loop.reply(.progress(progress), to: message, partial: true)
            }
            var reply = Hidra_V1_TrainReply()
            reply.head.name = message.envelope.train.head
            loop.reply(.trainReply(reply), to: message)
        })
        let client = try await Self.connect(daemon)
        let steps = Recorder<UInt64>()
        var request = Hidra_V1_TrainRequest()
        request.head = "intent"
        let reply = try await client.train(request) { steps.append($0.done) }
        #expect(reply.head.name == "intent")
        #expect(steps.values == Array(1...50))
        await client.close()
        await daemon.stop()
    }

    @Test("The daemon's errors keep their code, message and details")
    func errors() async throws {
        let daemon = try EchoDaemon(answer: { message, loop in
            loop.send(
                .failure(
                    of: message.envelope.requestID, .notFound, "No head intnet.", details: ["suggestion": "intent"]),
                to: message.client, on: message.channel)
        })
        let client = try await Self.connect(daemon)
        let error = await #expect(throws: HidraError.self) { try await client.show("intnet") }
        #expect(error?.code == .notFound)
        #expect(error?.message == "No head intnet.")
        #expect(error?.details == ["suggestion": "intent"])
        await client.close()
        await daemon.stop()
    }

    @Test("A reply of the wrong kind is an error, not a crash")
    func wrongKind() async throws {
        let daemon = try EchoDaemon(answer: { message, loop in loop.reply(.pullReply(.init()), to: message) })
        let client = try await Self.connect(daemon)
        let error = await #expect(throws: HidraError.self) { try await client.list() }
        #expect(error?.code == .internalError)
        await client.close()
        await daemon.stop()
    }

    @Test("A daemon of another protocol version is refused with both ranges")
    func version() async throws {
        let daemon = try EchoDaemon(protocolVersions: 7...9)
        let error = await #expect(throws: HidraError.self) { try await Self.connect(daemon) }
        #expect(error?.code == .incompatibleVersion)
        #expect(error?.message.contains("7 to 9") == true)
        #expect(error?.message.contains("hidra stop") == true)
        await daemon.stop()
    }

    @Test("Without a daemon, and not allowed to start one, connecting fails at once")
    func noDaemon() async throws {
        let home = TemporaryHome()
        let error = await #expect(throws: HidraError.self) {
            try await HidraClient.connect(home: home.home, client: "tests", startDaemon: false)
        }
        // Not `timeout`: it was not waited for.
        #expect(error?.code == .unavailable)
    }

    @Test("A socket that nobody listens on counts as no daemon")
    func deadSocket() async throws {
        let home = TemporaryHome()
        try home.endpoints.prepareDirectory()
        for path in home.endpoints.paths { #expect(FileManager.default.createFile(atPath: path, contents: nil)) }
        let error = await #expect(throws: HidraError.self) {
            try await HidraClient.connect(home: home.home, client: "tests", startDaemon: false)
        }
        // Not `timeout`: it was not waited for.
        #expect(error?.code == .unavailable)
    }

    @Test("A daemon that listens but does not answer is a time-out that names its process")
    func mute() async throws {
        let daemon = try EchoDaemon(greets: false)
        let error = await #expect(throws: HidraError.self) {
            try await HidraClient.connect(
                home: daemon.home.home, client: "tests", startDaemon: false, timeout: .milliseconds(200))
        }
        #expect(error?.code == .timeout)
        #expect(error?.message.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
        await daemon.stop()
    }

    @Test("A socket directory that others may enter is not trusted")
    func openDirectory() async throws {
        let home = TemporaryHome()
        try home.endpoints.prepareDirectory()
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: home.endpoints.directory)
        let error = await #expect(throws: HidraError.self) {
            try await HidraClient.connect(home: home.home, client: "tests", startDaemon: false)
        }
        #expect(error?.code == .permissionDenied)
    }
}
