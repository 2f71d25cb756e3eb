package import HidraProtocol

/// Puts one subscriber's events in order without gaps: a synchronous state machine.
///
/// The events socket drops messages for subscribers that are behind; sequence numbers show it, and a replay of what is
/// missing is asked for on the control socket. Until that comes, later events are held.
package struct EventSequencer {
    package struct Step: Equatable {
        package var deliver: [Hidra_V1_Event] = []
        /// Ask the daemon for its events from this sequence number on, then call `replayed`.
        package var replayFrom: UInt64?

        package init(deliver: [Hidra_V1_Event] = [], replayFrom: UInt64? = nil) {
            (self.deliver, self.replayFrom) = (deliver, replayFrom)
        }
    }

    private enum Phase {
        /// Waiting for the subscription to take effect.
        case starting
        case live
        case replaying
    }

    private let from: UInt64?
    private var phase = Phase.starting
    /// The next sequence number to deliver; nil: whatever comes first.
    private var expected: UInt64?
    private var held: [Hidra_V1_Event] = []

    /// - Parameter from: first sequence number wanted, 0 for all the daemon still has; nil: only what happens from now.
    package init(from: UInt64?) {
        self.from = from
        expected = from.flatMap { $0 == 0 ? nil : $0 }
    }

    /// The subscription is in effect.
    package mutating func subscribed() -> Step {
        guard case .starting = phase else { return Step() }
        if let from {
            phase = .replaying
            return Step(replayFrom: from)
        }
        phase = .live
        return release()
    }

    package mutating func receive(_ event: Hidra_V1_Event) -> Step {
        held.append(event)
        switch phase {
        // Without a start in the past there is nothing to wait for.
        case .starting: return from == nil ? release(askingForGaps: false) : Step()
        case .replaying: return Step()
        case .live: return release()
        }
    }

    /// What the daemon still has of the events asked for. Those it no longer has are passed over.
    package mutating func replayed(_ events: [Hidra_V1_Event]) -> Step {
        phase = .live
        // An empty answer: nothing there yet, or the numbers were those of an earlier daemon.
        if events.isEmpty, from != nil, held.isEmpty { expected = nil }
        held += events
        return release(askingForGaps: false)
    }

    private mutating func release(askingForGaps: Bool = true) -> Step {
        var step = Step()
        held.sort { $0.sequence < $1.sequence }
        for (index, event) in held.enumerated() {
            let next = expected ?? event.sequence
            if event.sequence < next { continue }
            if event.sequence > next, askingForGaps {
                held.removeFirst(index)
                phase = .replaying
                step.replayFrom = next
                return step
            }
            step.deliver.append(event)
            expected = event.sequence + 1
        }
        held = []
        return step
    }
}
