internal import HidraProtocol

/// Clients that have promised to be silent for no longer than so long, and when each was last heard.
///
/// The clock stands still while the machine sleeps: nobody can speak then.
struct SilenceWatch {
    typealias Instant = SuspendingClock.Instant

    private struct Promise {
        var longest: Duration
        var heard: Instant
        /// It was overdue when last looked at. Once is no proof: the daemon itself may have been stopped.
        var isOverdue = false
    }

    /// How many times the promised silence makes a client lost.
    static let patience = 3
    private var promises: [ClientIdentity: Promise] = [:]

    mutating func expect(_ client: ClientIdentity, _ longest: Duration, _ now: Instant) {
        promises[client] = longest > .zero ? Promise(longest: longest, heard: now) : nil
    }

    mutating func heard(_ client: ClientIdentity, _ now: Instant) {
        promises[client]?.heard = now
        promises[client]?.isOverdue = false
    }

    mutating func forget(_ client: ClientIdentity) { promises[client] = nil }

    /// Takes out those that are lost. To be asked after what has arrived was read, again and again.
    mutating func lost(_ now: Instant) -> [ClientIdentity] {
        var lost: [ClientIdentity] = []
        for (client, promise) in promises where now - promise.heard > promise.longest * Self.patience {
            if promise.isOverdue { lost.append(client) }
            promises[client]?.isOverdue = true
        }
        for client in lost { promises[client] = nil }
        return lost
    }
}
