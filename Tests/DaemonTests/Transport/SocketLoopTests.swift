import Daemon
import Foundation
import HidraProtocol
import Synchronization
import Testing
import ZeroMQ

@Suite("The socket loop", .serialized)
struct SocketLoopTests {
    private static func heartbeat(_ id: UInt64) throws -> [[UInt8]] {
        try Frames.encode(WireMessage(.reply(to: id, .heartbeat(Hidra_V1_Heartbeat()))), limit: 1 << 20)
    }

    @Test("The sockets are their owner's alone")
    func modes() async throws {
        let daemon = try EchoDaemon()
        let endpoints = daemon.home.endpoints
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(endpoints.directory) == 0o700)
        for path in endpoints.paths { #expect(try mode(path) == 0o600, "\(path)") }
        await daemon.stop()
        for path in endpoints.paths { #expect(!FileManager.default.fileExists(atPath: path), "\(path)") }
    }

    @Test("Sockets a dead daemon left are replaced")
    func staleSockets() async throws {
        let home = TemporaryHome()
        try home.endpoints.prepareDirectory()
        for path in home.endpoints.paths { #expect(FileManager.default.createFile(atPath: path, contents: nil)) }
        let daemon = try EchoDaemon(home: home)
        let replies = try await RawPeer.onThread {
            try RawPeer.exchange(home.endpoints.control, [try Self.heartbeat(5)], expecting: 1)
        }
        #expect(replies.map(\.requestID) == [5])
        await daemon.stop()
    }

    @Test("A socket directory that others may enter is refused")
    func openDirectory() async throws {
        let home = TemporaryHome()
        try home.endpoints.prepareDirectory()
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: home.endpoints.directory)
        let error = #expect(throws: TransportError.self) { try EchoDaemon(home: home) }
        #expect(error?.code == .permissionDenied)
    }

    @Test("Replies arrive in the order they were sent, with their tensors")
    func order() async throws {
        let daemon = try EchoDaemon(answer: { message, loop in
            for index in 0..<100 { loop.reply(.listReply(.init()), to: message, partial: index < 99) }
            var envelope = Hidra_V1_Envelope.reply(to: message.envelope.requestID + 1, .embedReply(.init()))
            var tensor = Hidra_V1_TensorFrame()
            tensor.type = .float32
            tensor.shape = [2, 3]
            envelope.tensors = [tensor]
            loop.send(envelope, tensors: [[UInt8](repeating: 1, count: 24)], to: message.client, on: .work)
        })
        let endpoint = daemon.home.endpoints.work
        let list = try Frames.encode(WireMessage(.reply(to: 1, .list(.init()))), limit: 1 << 20)
        let replies = try await RawPeer.onThread { try RawPeer.exchange(endpoint, [list], expecting: 101) }
        #expect(replies.count == 101)
        #expect(replies.prefix(100).allSatisfy { $0.requestID == 1 })
        #expect(replies[98].isPartial && !replies[99].isPartial)
        #expect(replies.last?.tensors.first?.shape == [2, 3])
        await daemon.stop()
    }

    @Test("A reply that breaks the limits becomes an error to its request")
    func oversizedReply() async throws {
        let daemon = try EchoDaemon(answer: { message, loop in
            loop.send(
                .reply(to: message.envelope.requestID, .embedReply(.init())), tensors: [[1, 2, 3]], to: message.client,
                on: .work)
        })
        let list = try Frames.encode(WireMessage(.reply(to: 3, .list(.init()))), limit: 1 << 20)
        let endpoint = daemon.home.endpoints.work
        let replies = try await RawPeer.onThread { try RawPeer.exchange(endpoint, [list], expecting: 1) }
        #expect(replies.first?.requestID == 3)
        #expect(replies.first?.error.code == "invalid_argument")
        await daemon.stop()
    }

    @Test("Above the high-water mark work waits with its sender, and control does not")
    func backPressure() async throws {
        let backlog = Mutex(1000)
        let daemon = try EchoDaemon(
            workBacklog: { backlog.withLock { $0 } },
            answer: { message, loop in loop.reply(.listReply(.init()), to: message) })
        let endpoints = daemon.home.endpoints
        let list = try Frames.encode(WireMessage(.reply(to: 1, .list(.init()))), limit: 1 << 20)
        let blocked = try await RawPeer.onThread {
            try RawPeer.exchange(endpoints.work, [list], expecting: 1, within: .milliseconds(200))
        }
        #expect(blocked.isEmpty)
        let alive = try await RawPeer.onThread {
            try RawPeer.exchange(endpoints.control, [try Self.heartbeat(2)], expecting: 1)
        }
        #expect(alive.map(\.requestID) == [2])
        backlog.withLock { $0 = 200 }
        daemon.loop.workBacklogChanged()
        // Between the marks the gate stays as it was.
        let still = try await RawPeer.onThread {
            try RawPeer.exchange(endpoints.work, [list], identity: [9], expecting: 1, within: .milliseconds(200))
        }
        #expect(still.isEmpty)
        backlog.withLock { $0 = 0 }
        let open = try await RawPeer.onThread {
            try RawPeer.exchange(endpoints.work, [list], identity: [8], expecting: 1)
        }
        #expect(open.map(\.requestID) == [1])
        await daemon.stop()
    }

    @Test("A client that disconnects is reported once")
    func disconnects() async throws {
        var configuration = SocketLoop.Configuration()
        configuration.probeInterval = .milliseconds(50)
        let daemon = try EchoDaemon(configuration: configuration)
        let endpoints = daemon.home.endpoints
        _ = try await RawPeer.onThread {
            try RawPeer.exchange(endpoints.control, [try Self.heartbeat(1)], identity: [3, 3], expecting: 1)
        }
        let loss = await daemon.lost.first { _ in true }
        #expect(loss?.0 == ClientIdentity([3, 3]))
        #expect(loss?.1 == .disconnected)
        // Another client's traffic after two more rounds of looking.
        _ = try await RawPeer.onThread {
            try RawPeer.exchange(
                endpoints.control, [try Self.heartbeat(1)], identity: [4], expecting: 2, within: .milliseconds(150))
        }
        _ = await daemon.lost.first { $0.0 == ClientIdentity([4]) }
        #expect(daemon.lost.values.count { $0.0 == ClientIdentity([3, 3]) } == 1)
        await daemon.stop()
    }

    @Test("A client that does not read is dropped at the cap, and others are served meanwhile")
    func slowClient() async throws {
        var configuration = SocketLoop.Configuration()
        configuration.peerQueueBytes = 4 << 20
        configuration.probeInterval = .milliseconds(50)
        let daemon = try EchoDaemon(
            configuration: configuration,
            answer: { message, loop in
                guard case .list = message.envelope.kind else { return }
                var reply = Hidra_V1_ListReply()
                var head = Hidra_V1_Head()
                head.name = String(repeating: "x", count: 1 << 20)
                reply.heads = [head]
                for _ in 0..<120 { loop.reply(.listReply(reply), to: message, partial: true) }
            })
        let endpoints = daemon.home.endpoints
        let list = try Frames.encode(WireMessage(.reply(to: 1, .list(.init()))), limit: 1 << 20)
        let goodbye = try await RawPeer.onThread { () -> String? in
            try SlowReader.run(endpoints, list) {
                // While it sleeps, another client's heartbeat is answered.
                let replies = try RawPeer.exchange(
                    endpoints.control, [try Self.heartbeat(9)], identity: [5], expecting: 1)
                guard replies.count == 1 else {
                    throw RawPeer.Failure(message: "the other client was not served")
                }
            }
        }
        #expect(goodbye?.contains("unread") == true)
        let loss = await daemon.lost.first { $0.1 == .slow }
        #expect(loss?.0 == ClientIdentity(SlowReader.identity))
        await daemon.stop()
    }

    @Test("Stopping sends what is in the outbox first, and wakes everyone who waits for it")
    func stopping() async throws {
        let answered = Recorder<Bool>()
        let daemon = try EchoDaemon(answer: { message, loop in
            for _ in 0..<500 { loop.reply(.progress(.init()), to: message, partial: true) }
            loop.reply(.listReply(.init()), to: message)
            answered.append(true)
        })
        let endpoint = daemon.home.endpoints.work
        let list = try Frames.encode(WireMessage(.reply(to: 1, .list(.init()))), limit: 1 << 20)
        async let replies = RawPeer.onThread { try RawPeer.exchange(endpoint, [list], expecting: 501) }
        _ = await answered.first { $0 }
        async let first: Void = daemon.stop(deadline: .seconds(5))
        async let second: Void = daemon.loop.stop(deadline: .seconds(5))
        async let third: Void = daemon.loop.ended()
        _ = await (first, second, third)
        #expect(try await replies.count == 501)
        // Stopping again, and sending afterwards, is harmless.
        await daemon.loop.stop(deadline: .zero)
        daemon.loop.publish(Hidra_V1_Event())
    }

    @Test("A subscriber of a sync topic is answered once its subscriptions are in effect")
    func sync() async throws {
        let daemon = try EchoDaemon()
        let endpoint = daemon.home.endpoints.events
        let loop = daemon.loop
        let topics = try await RawPeer.onThread { try SyncSubscriber.run(endpoint, loop) }
        #expect(topics == ["sync/test", "events"])
        await daemon.stop()
    }
}

/// A client that asks for much, reads nothing until the daemon has dropped it, and then looks for the reason.
private enum SlowReader {
    static let identity: [UInt8] = [6, 6, 6]

    static func run(_ endpoints: Endpoints, _ request: [[UInt8]], meanwhile: () throws -> Void) throws -> String? {
        let context = try Context()
        defer { context.terminate() }
        return try run(in: context, endpoints, request, meanwhile)
    }

    private static func run(
        in context: Context, _ endpoints: Endpoints, _ request: [[UInt8]], _ meanwhile: () throws -> Void
    ) throws -> String? {
        let control = try Socket(.dealer, in: context)
        let work = try Socket(.dealer, in: context)
        try control.set(.routingID(identity))
        try work.set(.routingID(identity))
        try work.set(.receiveHighWater(1))
        try control.connect(endpoints.control)
        try work.connect(endpoints.work)
        let heartbeat = try Frames.encode(WireMessage(.reply(to: 1, .heartbeat(.init()))), limit: 1 << 20)
        guard try control.send(heartbeat) == .sent, try work.send(request) == .sent else { return nil }
        try meanwhile()
        var poller = Poller()
        _ = poller.add(control)
        let deadline = ContinuousClock.now + .seconds(5)
        while deadline > .now {
            try poller.wait(.milliseconds(100))
            while let message = try control.receive() {
                let envelope = try Frames.decode(message.frames, limit: 1 << 30).envelope
                if case .goodbye(let goodbye) = envelope.kind { return goodbye.reason }
            }
        }
        return nil
    }
}

private enum SyncSubscriber {
    /// The topics that arrive when an event is published as soon as the subscription is known to be in effect.
    static func run(_ endpoint: String, _ loop: SocketLoop) throws -> [String] {
        let context = try Context()
        defer { context.terminate() }
        return try run(in: context, endpoint, loop)
    }

    private static func run(in context: Context, _ endpoint: String, _ loop: SocketLoop) throws -> [String] {
        let subscriber = try Socket(.subscriber, in: context)
        try subscriber.set(.subscribe(EventsTopic.events))
        try subscriber.set(.subscribe(Array("sync/test".utf8)))
        try subscriber.connect(endpoint)
        var poller = Poller()
        _ = poller.add(subscriber)
        var topics: [String] = []
        let deadline = ContinuousClock.now + .seconds(5)
        while (topics.count < 2) && (deadline > .now) {
            try poller.wait(.milliseconds(100))
            while let message = try subscriber.receive() {
                topics.append(String(decoding: message.frames[0], as: UTF8.self))
                if topics.count == 1 { loop.publish(Hidra_V1_Event()) }
            }
        }
        return topics
    }
}
