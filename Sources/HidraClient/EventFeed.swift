internal import HidraProtocol
internal import Synchronization

/// One subscriber of the daemon's events.
struct EventFeed: Sendable {
    var sequencer: EventSequencer
    var isStarted = false
    let stream: AsyncThrowingStream<Hidra_V1_Event, any Error>.Continuation
}

/// Events are delivered by the connection's thread alone, so they stay in order.
extension Connection {
    /// Events a subscriber may leave unread.
    static let feedCapacity = 65_536

    func addFeed(from sequence: UInt64?) -> AsyncThrowingStream<Hidra_V1_Event, any Error> {
        let (stream, continuation) = AsyncThrowingStream<Hidra_V1_Event, any Error>.makeStream(
            bufferingPolicy: .bufferingOldest(Self.feedCapacity))
        let added = state.withLock { state -> Result<Int, any Error> in
            if case .ended(let error) = state.phase { return .failure(error) }
            state.lastFeed += 1
            state.feeds[state.lastFeed] = EventFeed(sequencer: EventSequencer(from: sequence), stream: continuation)
            return .success(state.lastFeed)
        }
        switch added {
        case .failure(let error): continuation.finish(throwing: error)
        case .success(let feed):
            continuation.onTermination = { [weak self] _ in self?.removeFeed(feed) }
            wakeUp()
        }
        return stream
    }

    private func removeFeed(_ feed: Int) { state.withLock { _ = $0.feeds.removeValue(forKey: feed) } }

    /// The subscription is in effect.
    func subscribed() {
        state.withLock { $0.subscribed = true }
        startFeeds()
    }

    /// Starts the feeds that came after the subscription was in effect.
    func startFeeds() {
        let feeds = state.withLock { state in state.subscribed ? Array(state.feeds.keys).sorted() : [] }
        for feed in feeds {
            step(feed) { feed in
                if feed.isStarted { return EventSequencer.Step() }
                feed.isStarted = true
                return feed.sequencer.subscribed()
            }
        }
    }

    func receiveEvent(_ frames: [[UInt8]]) {
        let message: WireMessage
        do {
            message = try Frames.decode(frames, limit: Limits.controlMessageBytes)
        } catch {
            // Its sequence number is missing now: the next event shows the gap, and a replay fills it.
            return
        }
        guard case .event(let event) = message.envelope.kind else { return }
        for feed in state.withLock({ Array($0.feeds.keys).sorted() }) {
            step(feed) { $0.sequencer.receive(event) }
        }
    }

    private func step(_ feed: Int, _ advance: (inout EventFeed) -> EventSequencer.Step) {
        let result = state.withLock { state -> (EventSequencer.Step, EventFeed)? in
            guard var entry = state.feeds[feed] else { return nil }
            let step = advance(&entry)
            state.feeds[feed] = entry
            return (step, entry)
        }
        guard let (step, entry) = result else { return }
        for event in step.deliver {
            guard case .dropped = entry.stream.yield(event) else { continue }
            entry.stream.finish(
                throwing: HidraError(
                    .limitExceeded,
                    "More than \(Self.feedCapacity) events were left unread. Continue with events(from: \(event.sequence))."
                ))
            return
        }
        if let sequence = step.replayFrom { replay(from: sequence, for: feed) }
    }

    private func replay(from sequence: UInt64, for feed: Int) {
        var replay = Hidra_V1_ReplayRequest()
        replay.fromSequence = sequence
        let kind = Hidra_V1_Envelope.OneOf_Kind.replay(replay)
        let request = RequestTable.Request(completion: { [weak self] in self?.replayed($0, for: feed) })
        state.withLock { state in
            let id = state.requests.reserve()
            do {
                let frames = try Frames.encode(
                    WireMessage(.reply(to: id, kind)), limit: Limits.controlMessageBytes)
                guard state.requests.open(id, request) else { return }
                state.outbox.append(Outgoing(channel: .control, frames: frames))
            } catch {
                preconditionFailure("a message of two numbers cannot be encoded: \(error)")
            }
        }
        wakeUp()
    }

    private func replayed(_ result: Result<WireMessage, any Error>, for feed: Int) {
        switch result {
        case .success(let message):
            guard case .replayReply(let reply) = message.envelope.kind else { return fail(feed, Self.unexpectedReply) }
            step(feed) { $0.sequencer.replayed(reply.events) }
        case .failure(let error):
            fail(feed, error)
        }
    }

    private func fail(_ feed: Int, _ error: any Error) {
        // A replay that was still open when the client closed is no fault of the stream: it just ends.
        let isClosed = (error as? HidraError).map { $0.code == Self.closed.code } ?? false
        state.withLock { $0.feeds[feed] }?.stream.finish(throwing: isClosed ? nil : error)
    }

    static let unexpectedReply = HidraError(
        .internalError, "hidrad answered with a message of the wrong kind. Are client and daemon of one version?")
}
