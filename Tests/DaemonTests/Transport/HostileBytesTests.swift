import Daemon
import Foundation
import HidraProtocol
import Testing
import ZeroMQ

/// SplitMix64 (https://prng.di.unimi.it/splitmix64.c): the same bytes in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }
}

@Suite("Hostile bytes", .serialized)
struct HostileBytesTests {
    /// The daemon answers the next request of a well-behaved client within its usual time.
    private static func expectAlive(_ endpoints: Endpoints, after what: String) async throws {
        let message = try Frames.encode(WireMessage(.reply(to: 77, .heartbeat(.init()))), limit: 1 << 20)
        // Connected before the clock starts: what is measured is the answer. The fastest of several, because other
        // tests run at the same time.
        let time = try await RawPeer.onThread { try Heartbeats.fastest(endpoints.control, message, count: 5) }
        #expect(time < .milliseconds(100), "\(what): answered after \(time)")
    }

    private static func envelope(_ id: UInt64, _ kind: Hidra_V1_Envelope.OneOf_Kind) throws -> [UInt8] {
        try Frames.encode(WireMessage(.reply(to: id, kind)), limit: 1 << 20)[0]
    }

    /// What a peer may send as well-formed ZeroMQ messages, and what it should hear.
    struct Malformed: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var frames: [[UInt8]]
        var request: UInt64
        var code: ErrorCode
    }

    static func malformed() throws -> [Malformed] {
        var random = SplitMix(state: 1)
        let list = try envelope(12, .list(.init()))
        var lying = Hidra_V1_Envelope.reply(to: 13, .list(.init()))
        lying.tensors = [.init()]
        var overflowing = lying
        overflowing.tensors[0].type = .float32
        overflowing.tensors[0].shape = [1 << 40, 1 << 40]
        let lies = try [lying, overflowing].map { try EnvelopeBytes.of($0) }
        return [
            Malformed(testDescription: "an empty frame", frames: [[]], request: 0, code: .unsupported),
            Malformed(
                testDescription: "random bytes", frames: [[0xFF] + random.bytes(999)], request: 0,
                code: .invalidArgument),
            Malformed(
                testDescription: "a request id, then random bytes", frames: [[0x08, 0x2A, 0xFF] + random.bytes(500)],
                request: 42, code: .invalidArgument),
            Malformed(
                testDescription: "a truncated envelope", frames: [Array(list.dropLast()) + [0x80]], request: 12,
                code: .invalidArgument),
            Malformed(
                testDescription: "tensors that are not there", frames: [lies[0]], request: 13, code: .invalidArgument),
            Malformed(
                testDescription: "frames that are not described", frames: [list, [1, 2, 3]], request: 12,
                code: .invalidArgument),
            Malformed(
                testDescription: "a shape that overflows", frames: [lies[1], [1, 2, 3, 4]], request: 13,
                code: .invalidArgument),
            Malformed(
                testDescription: "a hundred frames", frames: [list] + (0..<99).map { _ in [UInt8]([1]) }, request: 12,
                code: .limitExceeded),
            Malformed(
                testDescription: "a kind from the future", frames: [[0x08, 0x07, 0xD2, 0x3E, 0x00]], request: 7,
                code: .unsupported),
            Malformed(
                testDescription: "a reply", frames: [try envelope(14, .listReply(.init()))], request: 14,
                code: .invalidArgument),
            Malformed(
                testDescription: "invalid UTF-8", frames: [[0x08, 0x05, 0xDA, 0x02, 0x03, 0x0A, 0x01, 0xFF]],
                request: 5, code: .invalidArgument),
        ]
    }

    @Test("What cannot be read is answered with an error to its request", arguments: try malformed())
    func errors(_ message: Malformed) async throws {
        let daemon = try EchoDaemon()
        let endpoint = daemon.home.endpoints.work
        let replies = try await RawPeer.onThread { try RawPeer.exchange(endpoint, [message.frames], expecting: 1) }
        let reply = try #require(replies.first)
        #expect(reply.requestID == message.request)
        #expect(reply.error.code == message.code.rawValue)
        #expect(!reply.error.message.isEmpty)
        #expect(daemon.received.values.isEmpty)
        await daemon.stop()
    }

    @Test("A message on the wrong socket is answered with the right one")
    func wrongSocket() async throws {
        let daemon = try EchoDaemon()
        let endpoints = daemon.home.endpoints
        let replies = try await RawPeer.onThread {
            try RawPeer.exchange(endpoints.control, [[try Self.envelope(1, .list(.init()))]], expecting: 1)
                + RawPeer.exchange(endpoints.work, [[try Self.envelope(2, .status(.init()))]], expecting: 1)
        }
        #expect(replies[0].error.message.contains("work socket"))
        #expect(replies[1].error.message.contains("control socket"))
        await daemon.stop()
    }

    @Test("A client without a routing id is told to choose one")
    func noIdentity() async throws {
        let daemon = try EchoDaemon()
        let endpoint = daemon.home.endpoints.control
        let replies = try await RawPeer.onThread {
            try RawPeer.exchange(endpoint, [[try Self.envelope(3, .status(.init()))]], identity: nil, expecting: 1)
        }
        #expect(replies.first?.error.message.contains("ZMQ_ROUTING_ID") == true)
        await daemon.stop()
    }

    @Test("A thousand random messages on every socket neither end the daemon nor slow it")
    func randomMessages() async throws {
        let daemon = try EchoDaemon()
        let endpoints = daemon.home.endpoints
        let answered = try await RawPeer.onThread {
            var random = SplitMix(state: 2)
            var answered: [Int] = []
            for endpoint in [endpoints.control, endpoints.work] {
                var messages: [[[UInt8]]] = []
                for _ in 0..<1000 {
                    let count = Int.random(in: 1...4, using: &random)
                    messages.append((0..<count).map { _ in random.bytes(Int.random(in: 0...200, using: &random)) })
                }
                answered.append(try RawPeer.exchange(endpoint, messages, expecting: 1000, within: .seconds(20)).count)
            }
            try Publisher.flood(endpoints.events, (0..<1000).map { _ in random.bytes(50) })
            return answered
        }
        #expect(answered == [1000, 1000])
        try await Self.expectAlive(endpoints, after: "random messages")
        await daemon.stop()
    }

    @Test("A frame above the limit ends the connection before it is read, and no other")
    func oversized() async throws {
        var configuration = EchoDaemon.smallMessages
        configuration.probeInterval = .milliseconds(50)
        let daemon = try EchoDaemon(configuration: configuration)
        let endpoints = daemon.home.endpoints
        for endpoint in [endpoints.control, endpoints.work, endpoints.events] {
            let replies = try await RawPeer.onThread {
                try RawPeer.exchange(
                    endpoint, [[[UInt8](repeating: 1, count: 4 << 20)]], expecting: 1, within: .milliseconds(300))
            }
            #expect(replies.isEmpty)
        }
        try await Self.expectAlive(endpoints, after: "oversized frames")
        await daemon.stop()
    }

    @Test("Bytes that are not ZeroMQ at all neither end the daemon nor slow it")
    func notZeroMQ() async throws {
        let daemon = try EchoDaemon()
        let endpoints = daemon.home.endpoints
        try await RawPeer.onThread {
            var random = SplitMix(state: 3)
            // ZMTP 3.0's greeting: signature, version 3.0, mechanism NULL.
            let greeting: [UInt8] =
                [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NULL".utf8) + [UInt8](repeating: 0, count: 48)
            let ready: [UInt8] = [4, 0x19] + [5] + Array("READY".utf8) + [11] + Array("Socket-Type".utf8)
            let cases: [[UInt8]] = [
                [], [0], Array("GET / HTTP/1.1\r\nHost: hidra\r\n\r\n".utf8), random.bytes(10), random.bytes(100_000),
                [UInt8](repeating: 0xFF, count: 100_000), greeting, greeting + random.bytes(1000),
                // A long frame of 2^63 bytes.
                greeting + [2, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], greeting + ready + random.bytes(5000),
                greeting + ready + [0, 0, 0, 6] + Array("DEALER".utf8) + [2, 0x80] + random.bytes(5000),
            ]
            for path in endpoints.paths {
                for bytes in cases { try RawPeer.write(bytes, to: path) }
                for _ in 0..<50 { try RawPeer.write(greeting + random.bytes(64), to: path) }
            }
        }
        try await Self.expectAlive(endpoints, after: "raw bytes")
        await daemon.stop()
    }

    @Test("Control is answered while the work socket is busy with a message")
    func busyWork() async throws {
        let gate = try WakeFD()
        let daemon = try EchoDaemon(answer: { message, loop in
            guard case .appendRows = message.envelope.kind else { return }
            // Stands for an envelope of many megabytes that takes long to decode.
            gate.wait()
            loop.reply(.appendRowsReply(.init()), to: message)
        })
        let endpoints = daemon.home.endpoints
        async let work = RawPeer.onThread {
            try RawPeer.exchange(endpoints.work, [[try Self.envelope(1, .appendRows(.init()))]], expecting: 1)
        }
        _ = await daemon.received.first { $0.channel == .work }
        let control = try await RawPeer.onThread {
            try RawPeer.exchange(
                endpoints.control, [[try Self.envelope(2, .heartbeat(.init()))]], identity: [9], expecting: 1)
        }
        gate.signal()
        #expect(control.map(\.requestID) == [2])
        #expect(try await work.map(\.requestID) == [1])
        await daemon.stop()
    }
}

private enum EnvelopeBytes {
    /// Serialised without the checks that would refuse it.
    static func of(_ envelope: Hidra_V1_Envelope) throws -> [UInt8] {
        var bare = envelope
        bare.tensors = []
        let head = try Frames.encode(WireMessage(bare), limit: 1 << 20)[0]
        // Field 3, length-delimited: `tensors`. TensorFrame: type = field 2, shape = packed field 3.
        let described = envelope.tensors.map { tensor -> [UInt8] in
            let shape = tensor.shape.flatMap(varint)
            let type: [UInt8] = tensor.type.rawValue == 0 ? [] : [0x10, UInt8(tensor.type.rawValue)]
            let body = type + (shape.isEmpty ? [] : [0x1A, UInt8(shape.count)] + shape)
            return [0x1A, UInt8(body.count)] + body
        }
        return head + described.flatMap { $0 }
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}

private enum Heartbeats {
    /// The shortest of `count` round trips on one connection, the first not counted.
    static func fastest(_ endpoint: String, _ message: [[UInt8]], count: Int) throws -> Duration {
        let context = try Context()
        defer { context.terminate() }
        return try fastest(in: context, endpoint, message, count)
    }

    private static func fastest(
        in context: Context, _ endpoint: String, _ message: [[UInt8]], _ count: Int
    ) throws -> Duration {
        let dealer = try Socket(.dealer, in: context)
        try dealer.set(.routingID([0x42] + (0..<15).map { _ in UInt8.random(in: 0...255) }))
        try dealer.connect(endpoint)
        var poller = Poller()
        _ = poller.add(dealer)
        var fastest = Duration.seconds(5)
        for round in 0...count {
            let start = ContinuousClock.now
            guard try dealer.send(message) == .sent else { throw RawPeer.Failure(message: "send refused") }
            while try !answered(dealer) {
                try poller.wait(.seconds(5))
                if ContinuousClock.now - start > .seconds(5) { return .seconds(5) }
            }
            if round > 0 { fastest = min(fastest, .now - start) }
        }
        return fastest
    }

    private static func answered(_ dealer: borrowing Socket) throws -> Bool {
        while let reply = try dealer.receive() {
            if try Frames.decode(reply.frames, limit: 1 << 20).envelope.requestID == 77 { return true }
        }
        return false
    }
}

private enum Publisher {
    /// Writes to the events socket, which is for reading.
    static func flood(_ endpoint: String, _ messages: [[UInt8]]) throws {
        let context = try Context()
        defer { context.terminate() }
        try flood(in: context, endpoint, messages)
    }

    private static func flood(in context: Context, _ endpoint: String, _ messages: [[UInt8]]) throws {
        let subscriber = try Socket(.subscriber, in: context)
        for message in messages { try subscriber.set(.subscribe(message)) }
        try subscriber.set(.linger(.seconds(1)))
        try subscriber.connect(endpoint)
    }
}
