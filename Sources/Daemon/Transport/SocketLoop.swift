package import Glibc
package import HidraProtocol
internal import Synchronization
package import ZeroMQ

/// The daemon's sockets: control and work (ROUTER) and events (XPUB), owned by one thread.
///
/// What comes in is checked, decoded and handed to `handler`; whatever cannot be is answered with an error, and never
/// ends the loop. What goes out comes from any thread through an outbox.
///
///     let loop = SocketLoop(lock: lock, handler: { message in … })
///     try loop.start()
///     loop.send(envelope, tensors: [], to: client, on: .work)
///     await loop.stop(deadline: .seconds(2))
package final class SocketLoop: Sendable {
    package struct Configuration: Sendable {
        package var limits = Limits()
        /// Bytes that may wait for one client that does not read; above, it is declared slow and dropped.
        package var peerQueueBytes = 256 << 20
        /// Backlog from which work is no longer read, and from which it is read again.
        package var workHighWater = 256
        package var workLowWater = 128
        /// How often clients are looked after: a heartbeat with request id 0 finds out whether they are still there.
        package var probeInterval = Duration.seconds(2)
        /// Where to listen besides, for clients with keys.
        package var network: Network?

        package init() {}
    }

    /// What it takes to serve clients of other machines.
    package struct Network: Sendable {
        var address: ServerAddress
        var serverKey: CurveKeyPair
        var keys: KeyRing

        package init(address: ServerAddress, serverKey: CurveKeyPair, keys: KeyRing) {
            (self.address, self.serverKey, self.keys) = (address, serverKey, keys)
        }
    }

    /// What other threads leave for the loop.
    enum Outgoing: Sendable {
        case message([[UInt8]], PeerAddress)
        case event([[UInt8]])
        case forget(ClientIdentity)
        case expect(ClientIdentity, Duration)
        case endKey(String)
    }

    struct State {
        var outbox: [Outgoing] = []
        /// A wake-up is on its way: more would only cost system calls.
        var wakePending = false
        var phase = Phase.idle
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }

    enum Phase {
        case idle
        case running
        case stopping(ContinuousClock.Instant)
        case ended
    }

    let lock: DaemonLock
    let configuration: Configuration
    let workBacklog: @Sendable () -> Int
    let handler: @Sendable (InboundMessage) -> Void
    let clientLost: @Sendable (ClientIdentity, ClientLoss) -> Void
    /// Whether a process of this machine may have events.
    private let sendsEvents: @Sendable (_ process: pid_t) -> Bool
    let log: @Sendable (String) -> Void
    let state = Mutex(State())
    let wake: WakeFD

    /// - Parameters:
    ///   - lock: held until the loop has ended; says where to listen.
    ///   - workBacklog: how much work waits; called on the loop's thread.
    ///   - handler: called for control messages on the loop's thread, for work messages on a decoding thread, each in
    ///     order of arrival. Must not block.
    ///   - clientLost: called once on the loop's thread when a client that has sent something is gone.
    ///   - sendsEvents: whether a process of this machine may subscribe to events; called on the loop's thread.
    ///   - log: told what went wrong, for the log.
    package init(
        lock: DaemonLock, configuration: Configuration = Configuration(),
        workBacklog: @escaping @Sendable () -> Int = { 0 },
        handler: @escaping @Sendable (InboundMessage) -> Void,
        clientLost: @escaping @Sendable (ClientIdentity, ClientLoss) -> Void = { _, _ in },
        sendsEvents: @escaping @Sendable (_ process: pid_t) -> Bool = { _ in true },
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(TransportError) {
        self.lock = lock
        self.configuration = configuration
        self.workBacklog = workBacklog
        self.handler = handler
        self.clientLost = clientLost
        self.sendsEvents = sendsEvents
        self.log = log
        do { wake = try WakeFD() } catch { throw Self.failed("make a wake-up descriptor", error) }
    }

    /// Binds the sockets and starts the threads; clients can connect when it returns.
    ///
    /// Stale sockets of a dead daemon are replaced, which the lock makes safe. Blocks for about a millisecond.
    package func start() throws(TransportError) {
        let isFirst = state.withLock { state in
            guard case .idle = state.phase else { return false }
            state.phase = .running
            return true
        }
        precondition(isFirst, "SocketLoop: start() may be called once")
        do { try lock.endpoints.prepareDirectory() } catch {
            end()
            throw TransportError(error.code, error.message)
        }
        let started = Startup()
        do {
            let decoder = try WorkDecoder(capBytes: 2 * configuration.limits.messageBytes)
            let signal = try WakeFD()
            try OwnedThread.start("hidra-sockets") { [self] in
                run(decoder) { result in
                    started.result.withLock { $0 = result }
                    signal.signal()
                }
                end()
            }
            signal.wait()
        } catch {
            end()
            throw Self.failed("start the socket thread", error)
        }
        if let error = started.result.withLock({ $0 }) {
            let network = configuration.network.map { " or at \($0.address)" } ?? ""
            throw Self.failed("listen in \(lock.endpoints.directory)\(network)", error)
        }
    }

    private final class Startup: Sendable {
        let result = Mutex<ZeroMQError?>(nil)
    }

    /// Sends a message to a client. From any thread; serialised on the caller's. A client that is gone is reported by
    /// `clientLost`, not here.
    ///
    /// A message that breaks the limits is replaced by an error to the same request.
    package func send(
        _ envelope: Hidra_V1_Envelope, tensors: [[UInt8]] = [], to client: ClientIdentity, on channel: Channel
    ) {
        let limit = configuration.limits.messageBytes
        let peer = PeerAddress(channel: channel, client: client)
        do {
            enqueue(.message(try Frames.encode(WireMessage(envelope, tensors: tensors), limit: limit), peer))
        } catch {
            log("reply to request \(envelope.requestID) replaced by an error: \(error.message)")
            let failure = Hidra_V1_Envelope.failure(of: envelope.requestID, error.code, error.message)
            // An error of a sentence is within any limit; if not even that can be said, nothing can.
            do { enqueue(.message(try Frames.encode(WireMessage(failure), limit: limit), peer)) } catch {
                log("request \(envelope.requestID) stays unanswered: \(error.message)")
            }
        }
    }

    /// Publishes to all subscribers of the events socket. From any thread, in the order of the calls.
    package func publish(_ event: Hidra_V1_Event) {
        let envelope = Hidra_V1_Envelope.reply(to: 0, .event(event))
        do {
            let frames = try Frames.encode(WireMessage(envelope), limit: Limits.controlMessageBytes)
            enqueue(.event([EventsTopic.events] + frames))
        } catch {
            log("event \(event.name) not published: \(error.message)")
        }
    }

    /// The client said goodbye: no longer look after it, and do not report its loss.
    package func forget(_ client: ClientIdentity) { enqueue(.forget(client)) }

    /// The client has promised to be silent for no longer than this; nil: it promises nothing.
    package func expect(_ client: ClientIdentity, silentFor longest: Duration?) {
        enqueue(.expect(client, longest ?? .zero))
    }

    /// Ends the connections that use a key. It must not be on the ring any more.
    package func end(key: String) { enqueue(.endKey(key)) }

    /// Has the loop ask `workBacklog` again now rather than within 10 ms. Worth calling when the backlog has shrunk.
    package func workBacklogChanged() { wakeUp() }

    /// Reads no more, sends what is in the outbox, closes the sockets and waits for the threads; sends what clients do
    /// not take until `deadline`.
    package func stop(deadline: Duration) async {
        await withCheckedContinuation { continuation in
            let alreadyOver = state.withLock { state in
                switch state.phase {
                case .idle: state.phase = .ended
                case .ended: break
                case .running:
                    state.phase = .stopping(.now + deadline)
                    state.stopWaiters.append(continuation)
                    return false
                case .stopping:
                    state.stopWaiters.append(continuation)
                    return false
                }
                return true
            }
            if alreadyOver { continuation.resume() } else { wakeUp() }
        }
    }

    /// Returns when the loop has ended, by `stop` or because the sockets failed.
    package func ended() async {
        await withCheckedContinuation { continuation in
            let alreadyOver = state.withLock { state in
                if case .ended = state.phase { return true }
                state.stopWaiters.append(continuation)
                return false
            }
            if alreadyOver { continuation.resume() }
        }
    }

    private func end() {
        let waiters = state.withLock { state in
            state.phase = .ended
            state.outbox = []
            defer { state.stopWaiters = [] }
            return state.stopWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func enqueue(_ item: Outgoing) {
        let mustWake = state.withLock { state in
            if case .ended = state.phase { return false }
            state.outbox.append(item)
            defer { state.wakePending = true }
            return !state.wakePending
        }
        if mustWake { wake.signal() }
    }

    private func wakeUp() {
        let mustWake = state.withLock { state in
            defer { state.wakePending = true }
            return !state.wakePending
        }
        if mustWake { wake.signal() }
    }

    /// Asks the kernel whose the connection is. One that is gone may have nothing.
    func maySubscribe(_ descriptor: Int32) -> Bool {
        // `struct ucred`, which glibc shows to GNU programs alone.
        var peer: (process: pid_t, user: uid_t, group: gid_t) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: peer))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 else { return false }
        return sendsEvents(peer.process)
    }

    private static func failed(_ what: String, _ error: ZeroMQError) -> TransportError {
        TransportError(.unavailable, "Could not \(what): \(error.message).", cause: error)
    }
}
