internal import HidraProtocol
internal import Synchronization
internal import ZeroMQ

/// Decodes what arrives on the work socket on a thread of its own: an envelope of many megabytes takes a while, and
/// control must not wait for it. Keeps the order of arrival.
final class WorkDecoder: Sendable {
    struct Item: Sendable {
        let message: Socket.Message
        /// Name of the key it came with; nil: from this machine.
        let key: String?
    }

    private struct State {
        var waiting: [Item] = []
        var bytes = 0
        var stopping = false
    }

    private let state = Mutex(State())
    private let wake: WakeFD
    private let capBytes: Int

    /// - Parameter capBytes: above it `isFull`, and the loop stops reading work.
    init(capBytes: Int) throws(ZeroMQError) {
        wake = try WakeFD()
        self.capBytes = capBytes
    }

    /// - Parameters:
    ///   - deliver: called on the decoder's thread for each message, in order.
    ///   - emptied: called there whenever all is delivered.
    ///   - ended: called there last.
    func start(
        deliver: @escaping @Sendable (Item) -> Void, emptied: @escaping @Sendable () -> Void,
        ended: @escaping @Sendable () -> Void
    ) throws(ZeroMQError) {
        try OwnedThread.start("hidra-decode") { [self] in
            while let items = take() {
                for item in items {
                    deliver(item)
                    state.withLock { $0.bytes -= Self.size(item.message) }
                }
                emptied()
            }
            ended()
        }
    }

    var isFull: Bool { state.withLock { $0.bytes >= capBytes } }

    func add(_ item: Item) {
        state.withLock {
            $0.waiting.append(item)
            $0.bytes += Self.size(item.message)
        }
        wake.signal()
    }

    /// What waits is dropped: the daemon takes no new work.
    func stop() {
        state.withLock {
            $0.stopping = true
            $0.waiting = []
        }
        wake.signal()
    }

    /// Blocks until there is something to do; nil when stopping.
    private func take() -> [Item]? {
        while true {
            let (items, stopping) = state.withLock { state in
                defer { state.waiting = [] }
                return (state.waiting, state.stopping)
            }
            if stopping { return nil }
            if !items.isEmpty { return items }
            wake.wait()
        }
    }

    /// At least one byte, so that empty messages count too.
    private static func size(_ message: Socket.Message) -> Int { message.frames.reduce(1) { $0 + $1.count } }
}
