internal import CZeroMQ
internal import Glibc

/// Waits for any of several sockets and wake-ups. Belongs to the thread that owns the sockets, and must not outlive
/// them.
package struct Poller {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: Int16
        package init(rawValue: Int16) { self.rawValue = rawValue }
        package static let readable = Interest(rawValue: Int16(ZMQ_POLLIN))
        package static let writable = Interest(rawValue: Int16(ZMQ_POLLOUT))
    }

    /// Names one of the things waited for.
    package struct Token: Sendable { fileprivate let index: Int }

    private var items: [zmq_pollitem_t] = []

    package init() {}

    package mutating func add(_ socket: borrowing Socket, _ interest: Interest = .readable) -> Token {
        items.append(zmq_pollitem_t(socket: socket.handle, fd: 0, events: interest.rawValue, revents: 0))
        return Token(index: items.count - 1)
    }

    package mutating func add(_ wake: WakeFD) -> Token {
        items.append(zmq_pollitem_t(socket: nil, fd: wake.readEnd, events: Interest.readable.rawValue, revents: 0))
        return Token(index: items.count - 1)
    }

    /// Changes what is waited for; an empty interest leaves the socket alone.
    package mutating func set(_ interest: Interest, for token: Token) {
        items[token.index].events = interest.rawValue
    }

    /// Blocks until something is ready or the time is over; nil waits without limit. A signal counts as time over.
    package mutating func wait(_ timeout: Duration?) throws(ZeroMQError) {
        let milliseconds = timeout.map { Int($0.wholeMilliseconds) } ?? -1
        guard zmq_poll(&items, Int32(items.count), milliseconds) < 0 else { return }
        for index in items.indices { items[index].revents = 0 }
        if zmq_errno() != EINTR { throw .last("poll") }
    }

    package func ready(_ token: Token) -> Interest { Interest(rawValue: items[token.index].revents) }
}
