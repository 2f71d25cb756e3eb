internal import CZeroMQ

/// Watches the connections of one socket, on the thread that owns it.
///
/// libzmq hides connections; a client needs to know at once that its daemon is gone.
package struct Monitor: ~Copyable {
    package enum Event: Sendable, Equatable {
        /// The connection is up and the ZMTP handshake done.
        case connected
        /// The connection was lost, refused, or is no ZeroMQ connection.
        case lost
        /// The server did not admit this client's key.
        case refused
        case other
    }

    /// To be polled for reading.
    package let socket: Socket

    /// - Parameter name: unique within the context.
    package init(of watched: borrowing Socket, in context: Context, name: String) throws(ZeroMQError) {
        let endpoint = "inproc://monitor-\(name)"
        guard zmq_socket_monitor(watched.handle, endpoint, ZMQ_EVENT_ALL) == 0 else { throw .last("monitor \(name)") }
        let pair = try Socket(.pair, in: context)
        try pair.connect(endpoint)
        socket = pair
    }

    /// The next event, or nil when there is none.
    package borrowing func next() throws(ZeroMQError) -> Event? {
        guard let message = try socket.receive(maximumFrames: 2), let head = message.frames.first, head.count >= 2
        else { return nil }
        // Event number in the machine's byte order, then a value and, in the second frame, the endpoint.
        let number = Int32(head.withUnsafeBytes { $0.loadUnaligned(as: UInt16.self) })
        switch number {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .connected
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return .refused
        case ZMQ_EVENT_DISCONNECTED, ZMQ_EVENT_CLOSED, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL,
            ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            return .lost
        default: return .other
        }
    }
}
