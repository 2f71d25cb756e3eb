/// Who waits for an answer. Higher classes always go first.
package enum Priority: Int, Sendable, Comparable, CaseIterable {
    /// Many texts at once, nobody looking: embedding a file.
    case bulk
    /// Training and evaluation.
    case training
    /// Somebody waits: a prediction, loading an encoder for one.
    case interactive

    package static func < (a: Priority, b: Priority) -> Bool { a.rawValue < b.rawValue }
}

/// On whose behalf a task runs: a client, those who share its key, or a session.
package struct Account: Sendable, Hashable {
    package var name: String
    /// Core-seconds it gets for one of an account of share 1, when both want them.
    package var share: Double

    package init(_ name: String, share: Double = 1) {
        precondition(share > 0, "account '\(name)' has the share \(share)")
        self.name = name
        self.share = share
    }

    /// Work that several ask for at a time: batches of predictions.
    package static let common = Account("")

    /// That of the task that asks for work.
    @TaskLocal package static var current = Account.common
}

/// A task that wants the compute thread.
package struct Waiting: Sendable, Equatable {
    /// When a task should be done, and how much it still takes.
    package struct Deadline: Sendable, Equatable {
        /// Seconds, of the same clock as the schedule's.
        package var time: Double
        /// Seconds of computing that are left, as far as is known.
        package var remaining: Double

        package init(time: Double, remaining: Double) {
            self.time = time
            self.remaining = remaining
        }

        /// Whether it can be kept, but only by going ahead of others. One that is missed gives no right any more.
        func isPressing(_ now: Double) -> Bool { now < time && time - now <= remaining }
    }

    package var id: UInt64
    package var priority: Priority
    /// Order of arrival.
    package var arrival: UInt64
    /// Compute time the task has had, in seconds.
    package var served: Double
    package var account: Account
    package var deadline: Deadline?

    package init(
        id: UInt64, priority: Priority, arrival: UInt64, served: Double, account: Account = .common, deadline: Deadline? = nil
    ) {
        self.id = id
        self.priority = priority
        self.arrival = arrival
        self.served = served
        self.account = account
        self.deadline = deadline
    }
}
