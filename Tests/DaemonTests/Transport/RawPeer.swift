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
        expecting: Int, within limit: Duration = .seconds(5)
    ) throws -> [Hidra_V1_Envelope] {
        let context = try Context()
        defer { context.terminate() }
        return try exchange(in: context, endpoint, messages, identity, expecting, limit)
    }

    private static func exchange(
        in context: Context, _ endpoint: String, _ messages: [[[UInt8]]], _ identity: [UInt8]?, _ expecting: Int,
        _ limit: Duration
    ) throws -> [Hidra_V1_Envelope] {
        let dealer = try Socket(.dealer, in: context)
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
