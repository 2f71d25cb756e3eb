internal import CZeroMQ
internal import Glibc

/// A ZeroMQ socket. It is neither copyable nor sendable: the thread that makes it is the only one that can name it,
/// and it closes when its scope ends.
package struct Socket: ~Copyable {
    package enum Kind: Sendable {
        case router, dealer, publisher, subscriber, pair, reply

        var number: Int32 {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .publisher: ZMQ_XPUB
            case .subscriber: ZMQ_SUB
            case .pair: ZMQ_PAIR
            case .reply: ZMQ_REP
            }
        }
    }

    /// A message as it came: its frames, at most as many as were asked for.
    package struct Message: Sendable, Equatable {
        package var frames: [[UInt8]]
        /// Frames beyond the limit; they were read and dropped.
        package var dropped: Int
        /// Who sent it, where that was asked for.
        package var sender: Sender?
    }

    /// A peer as the authentication of its connection found it.
    package struct Sender: Sendable, Equatable {
        /// What the authenticator called it.
        package var user: String
        /// The connection's; libzmq may have closed it by now.
        package var descriptor: Int32
    }

    package enum SendResult: Sendable, Equatable {
        case sent
        /// The peer's queue is full; nothing was sent.
        case full
        /// A ROUTER knows no peer of that identity; nothing was sent.
        case unreachable
    }

    let handle: UnsafeMutableRawPointer

    package init(_ kind: Kind, in context: Context) throws(ZeroMQError) {
        guard let handle = zmq_socket(context.handle, kind.number) else { throw .last("create a \(kind) socket") }
        self.handle = handle
    }

    deinit { zmq_close(handle) }

    package borrowing func bind(_ endpoint: String) throws(ZeroMQError) {
        guard zmq_bind(handle, endpoint) == 0 else { throw .last("bind \(endpoint)") }
    }

    package borrowing func connect(_ endpoint: String) throws(ZeroMQError) {
        guard zmq_connect(handle, endpoint) == 0 else { throw .last("connect \(endpoint)") }
    }

    /// Sends one multipart message without waiting; all of it or nothing.
    ///
    /// - Precondition: at least one frame. Frames may be empty.
    package borrowing func send(_ frames: [[UInt8]]) throws(ZeroMQError) -> SendResult {
        precondition(!frames.isEmpty, "send: a message needs at least one frame")
        for (index, frame) in frames.enumerated() {
            let flags = ZMQ_DONTWAIT | (index < frames.count - 1 ? ZMQ_SNDMORE : 0)
            var sent = zmq_send(handle, frame, frame.count, flags)
            while sent < 0, zmq_errno() == EINTR { sent = zmq_send(handle, frame, frame.count, flags) }
            if sent >= 0 { continue }
            // libzmq takes a message as a whole: only the first frame can be refused.
            guard index == 0 else { throw .last("send frame \(index)") }
            switch zmq_errno() {
            case EAGAIN: return .full
            case EHOSTUNREACH: return .unreachable
            default: throw .last("send")
            }
        }
        return .sent
    }

    /// Takes one multipart message, or nil when none has arrived.
    ///
    /// How large a frame may be is for `Option.maximumMessageBytes` to say: libzmq then closes the connection before
    /// it allocates anything.
    ///
    /// - Parameter asksSender: fill in `Message.sender`, for sockets that authenticate.
    package borrowing func receive(maximumFrames: Int = 64, asksSender: Bool = false) throws(ZeroMQError) -> Message? {
        var message = Message(frames: [], dropped: 0)
        while true {
            var part = zmq_msg_t()
            zmq_msg_init(&part)
            defer { zmq_msg_close(&part) }
            var size = zmq_msg_recv(&part, handle, ZMQ_DONTWAIT)
            while size < 0, zmq_errno() == EINTR { size = zmq_msg_recv(&part, handle, ZMQ_DONTWAIT) }
            if size < 0 {
                if zmq_errno() == EAGAIN, message.frames.isEmpty { return nil }
                throw .last("receive")
            }
            if asksSender, message.sender == nil {
                // Not every frame says. Nobody has a name without authentication; the connection has a descriptor all the same.
                let user = zmq_msg_gets(&part, "User-Id").map { String(cString: $0) }, descriptor = zmq_msg_get(&part, ZMQ_SRCFD)
                if user != nil || descriptor >= 0 { message.sender = Sender(user: user ?? "", descriptor: descriptor) }
            }
            if message.frames.count < maximumFrames {
                // The size of the message, not of the call: the latter is an Int32.
                let bytes = UnsafeRawBufferPointer(start: zmq_msg_data(&part), count: zmq_msg_size(&part))
                message.frames.append([UInt8](bytes))
            } else {
                message.dropped += 1
            }
            if zmq_msg_more(&part) == 0 { return message }
        }
    }
}
