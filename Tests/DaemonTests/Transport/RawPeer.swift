import Foundation
import Glibc
import HidraProtocol
import ZeroMQ

/// Speaks to a daemon below the client library: any frames, or any bytes at all. Blocks; used on threads of its own.
enum RawPeer {
    struct Failure: Error { var message: String }

    /// Runs blocking work off the cooperative pool.
    static func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try OwnedThread.start("raw-peer") { continuation.resume(with: Result(catching: work)) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Sends messages over one DEALER and returns the envelopes that came back within the time, `expecting` at most.
    static func exchange(
        _ endpoint: String, _ messages: [[[UInt8]]], identity: [UInt8]? = [7] + Array("raw-peer".utf8),
        security: [Socket.Option] = [], expecting: Int, within limit: Duration = .seconds(5)
    ) throws -> [Hidra_V1_Envelope] {
        let context = try Context()
        defer { context.terminate() }
        return try exchange(in: context, endpoint, messages, identity, security, expecting, limit)
    }

    /// Sends messages over one connection, and listens for so long after each.
    static func converse(_ endpoint: String, _ messages: [([[UInt8]], Duration)]) throws -> [Hidra_V1_Envelope] {
        let context = try Context()
        defer { context.terminate() }
        return try converse(in: context, endpoint, messages)
    }

    private static func converse(
        in context: Context, _ endpoint: String, _ messages: [([[UInt8]], Duration)]
    ) throws -> [Hidra_V1_Envelope] {
        let dealer = try Socket(.dealer, in: context)
        try dealer.set(.routingID([5] + (0..<15).map { _ in UInt8.random(in: 0...255) }))
        try dealer.connect(endpoint)
        var poller = Poller()
        _ = poller.add(dealer)
        var replies: [Hidra_V1_Envelope] = []
        for (message, time) in messages {
            _ = try dealer.send(message)
            let deadline = ContinuousClock.now + time
            while deadline > .now {
                try poller.wait(.milliseconds(50))
                while let reply = try dealer.receive() {
                    let envelope = try Frames.decode(reply.frames, limit: 1 << 30).envelope
                    if case .heartbeat = envelope.kind, envelope.requestID == 0 { continue }
                    replies.append(envelope)
                }
            }
        }
        return replies
    }

    /// Subscribes to everything and returns how many messages came within the time.
    static func subscribe(_ endpoint: String, security: [Socket.Option] = [], within limit: Duration) throws -> Int {
        let context = try Context()
        defer { context.terminate() }
        return try subscribe(in: context, endpoint, security, limit)
    }

    private static func subscribe(
        in context: Context, _ endpoint: String, _ security: [Socket.Option], _ limit: Duration
    ) throws -> Int {
        let subscriber = try Socket(.subscriber, in: context)
        for option in security { try subscriber.set(option) }
        try subscriber.set(.linger(.zero))
        try subscriber.set(.subscribe([]))
        // Its own echo would come back.
        try subscriber.set(.subscribe(EventsTopic.syncPrefix + [7]))
        try subscriber.connect(endpoint)
        var poller = Poller()
        _ = poller.add(subscriber)
        let deadline = ContinuousClock.now + limit
        var count = 0
        while deadline > .now {
            try poller.wait(.milliseconds(50))
            while try subscriber.receive() != nil { count += 1 }
        }
        return count
    }

    private static func exchange(
        in context: Context, _ endpoint: String, _ messages: [[[UInt8]]], _ identity: [UInt8]?,
        _ security: [Socket.Option], _ expecting: Int, _ limit: Duration
    ) throws -> [Hidra_V1_Envelope] {
        let dealer = try Socket(.dealer, in: context)
        for option in security { try dealer.set(option) }
        try dealer.set(.linger(.milliseconds(200)))
        if let identity { try dealer.set(.routingID(identity)) }
        try dealer.set(.reconnectInterval(.seconds(600)))
        try dealer.connect(endpoint)
        var poller = Poller()
        let token = poller.add(dealer, [.readable, .writable])
        var unsent = messages[...]
        var replies: [Hidra_V1_Envelope] = []
        let deadline = ContinuousClock.now + limit
        while deadline > .now, replies.count < expecting || !unsent.isEmpty {
            while let message = unsent.first, try dealer.send(message) == .sent { unsent = unsent.dropFirst() }
            poller.set(unsent.isEmpty ? .readable : [.readable, .writable], for: token)
            try poller.wait(.milliseconds(50))
            while let reply = try dealer.receive() {
                let envelope = try Frames.decode(reply.frames, limit: 1 << 30).envelope
                // The daemon's own looking after its clients is no reply.
                if case .heartbeat = envelope.kind, envelope.requestID == 0 { continue }
                replies.append(envelope)
            }
        }
        return replies
    }

    /// Writes bytes to a Unix socket and closes it; whatever the peer thinks of them.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(message: "socket: \(errno)") }
        defer { close(descriptor) }
        var timeout = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw Failure(message: "connect \(path): \(errno)") }
        var rest = bytes[...]
        while !rest.isEmpty {
            // MSG_NOSIGNAL: the daemon may close at once.
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
