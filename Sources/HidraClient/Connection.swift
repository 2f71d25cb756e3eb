internal import HidraProtocol
internal import Synchronization
internal import ZeroMQ

/// The connection of a client to its daemon, as the threads that use it see it. Its sockets belong to a thread of its
/// own (`ConnectionBody`); between them stands one mutex.
final class Connection: Sendable {
    typealias Instant = ContinuousClock.Instant

    enum Phase {
        case open
        /// Send what is left and say goodbye, until then at most.
        case closing(Instant)
        case ended(HidraError)
    }

    struct Outgoing: Sendable {
        var channel: Channel
        var frames: [[UInt8]]
    }

    struct State {
        var requests = RequestTable()
        var outbox: [Outgoing] = []
        var wakePending = false
        var phase = Phase.open
        var heartbeat = Duration.seconds(5)
        var feeds: [Int: EventFeed] = [:]
        var lastFeed = 0
        /// The subscription is in effect.
        var subscribed = false
        var closeWaiters: [CheckedContinuation<Void, Never>] = []
    }

    let state = Mutex(State())
    let wake: WakeFD
    let destination: Destination
    /// How long the daemon may owe a sign of life.
    let silence: Duration

    /// Starts the thread and begins to connect. Whether somebody listens shows with the first request.
    init(_ destination: Destination, silence: Duration) throws(HidraError) {
        self.destination = destination
        self.silence = silence
        do {
            wake = try WakeFD()
            try OwnedThread.start("hidra-client") { [self] in end(ConnectionBody.run(self)) }
        } catch {
            throw HidraError(.internalError, "Could not start the client's thread: \(error.message).", cause: error)
        }
    }

    /// Sends a request and waits for its last reply. Cancelling the task cancels the request.
    ///
    /// - Parameters:
    ///   - progress: called on the connection's thread for each progress report; must not block.
    ///   - deadline: when the request is given up, however much progress it makes.
    func request(
        _ kind: Hidra_V1_Envelope.OneOf_Kind, tensors: [(Hidra_V1_TensorFrame, [UInt8])] = [], on channel: Channel,
        limit: Int,
        progress: (@Sendable (Hidra_V1_Progress) -> Void)? = nil, deadline: Instant? = nil,
        call: (@Sendable (WireMessage) -> Void)? = nil
    ) async throws -> WireMessage {
        try Task.checkCancellation()
        let id = state.withLock { $0.requests.reserve() }
        let frames: [[UInt8]]
        do {
            var envelope = Hidra_V1_Envelope.reply(to: id, kind)
            envelope.tensors = tensors.map(\.0)
            frames = try Frames.encode(WireMessage(envelope, tensors: tensors.map(\.1)), limit: limit)
        } catch {
            state.withLock { $0.requests.release(id) }
            throw HidraError(error)
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let request = RequestTable.Request(
                    completion: { continuation.resume(with: $0) }, progress: progress, deadline: deadline, call: call)
                open(id, request, Outgoing(channel: channel, frames: frames))
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func open(_ id: UInt64, _ request: RequestTable.Request, _ message: Outgoing) {
        let failure = state.withLock { state -> (any Error)? in
            switch state.phase {
            case .ended(let error):
                state.requests.release(id)
                return error
            case .closing:
                state.requests.release(id)
                return Self.closed
            case .open:
                guard state.requests.open(id, request) else { return CancellationError() }
                state.outbox.append(message)
                return nil
            }
        }
        if let failure { request.completion(.failure(failure)) } else { wakeUp() }
    }

    /// Sends a message that has no reply. On a connection that is over it goes nowhere.
    func post(
        _ kind: Hidra_V1_Envelope.OneOf_Kind, tensors: [(Hidra_V1_TensorFrame, [UInt8])], on channel: Channel, limit: Int
    ) throws(HidraError) {
        var envelope = Hidra_V1_Envelope.reply(to: state.withLock { $0.requests.idWithoutReply() }, kind)
        envelope.tensors = tensors.map(\.0)
        let frames: [[UInt8]]
        do { frames = try Frames.encode(WireMessage(envelope, tensors: tensors.map(\.1)), limit: limit) } catch {
            throw HidraError(error)
        }
        state.withLock { state in
            guard case .open = state.phase else { return }
            state.outbox.append(Outgoing(channel: channel, frames: frames))
        }
        wakeUp()
    }

    private func cancel(_ id: UInt64) {
        let completion = state.withLock { state -> RequestTable.Completion? in
            guard let completion = state.requests.cancel(id) else { return nil }
            state.outbox.append(Self.cancellation(of: id, &state.requests))
            return completion
        }
        guard let completion else { return }
        wakeUp()
        completion(.failure(CancellationError()))
    }

    /// The message that tells the daemon to stop working on a request.
    static func cancellation(of id: UInt64, _ requests: inout RequestTable) -> Outgoing {
        var cancel = Hidra_V1_CancelRequest()
        cancel.openRequestID = id
        let envelope = Hidra_V1_Envelope.reply(to: requests.idWithoutReply(), .cancel(cancel))
        do {
            let frames = try Frames.encode(WireMessage(envelope), limit: Limits.controlMessageBytes)
            return Outgoing(channel: .control, frames: frames)
        } catch {
            preconditionFailure("a message of two numbers cannot be encoded: \(error)")
        }
    }

    /// Says goodbye and closes. Open requests fail. Does not wait.
    ///
    /// - Parameter patience: how long the goodbye may take to go out.
    func beginClosing(patience: Duration = .milliseconds(500)) {
        let completions = state.withLock { state -> [RequestTable.Completion] in
            guard case .open = state.phase else { return [] }
            state.phase = .closing(.now + patience)
            state.outbox.append(Outgoing(channel: .control, frames: Frames.goodbye("closed by the client")))
            return state.requests.failAll()
        }
        for completion in completions { completion(.failure(Self.closed)) }
        wakeUp()
    }

    /// Returns when the thread and its sockets are gone.
    func ended() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if case .ended = state.phase { return true }
                state.closeWaiters.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    /// Called by the connection's thread, last.
    private func end(_ error: HidraError?) {
        let reason = error ?? Self.closed
        let (completions, feeds, waiters) = state.withLock { state in
            state.phase = .ended(reason)
            defer {
                state.feeds = [:]
                state.closeWaiters = []
            }
            return (state.requests.failAll(), Array(state.feeds.values), state.closeWaiters)
        }
        for completion in completions { completion(.failure(reason)) }
        for feed in feeds { feed.stream.finish(throwing: error) }
        for waiter in waiters { waiter.resume() }
    }

    func wakeUp() {
        let mustWake = state.withLock { state in
            defer { state.wakePending = true }
            return !state.wakePending
        }
        if mustWake { wake.signal() }
    }

    static let closed = HidraError(.cancelled, "The client was closed before the daemon had answered.")
}
