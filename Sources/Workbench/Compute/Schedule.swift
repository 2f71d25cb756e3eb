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

/// A task that wants the compute thread.
package struct Waiting: Sendable, Equatable {
    package var id: UInt64
    package var priority: Priority
    /// Order of arrival.
    package var arrival: UInt64
    /// Compute time the task has had, in seconds.
    package var served: Double

    package init(id: UInt64, priority: Priority, arrival: UInt64, served: Double) {
        self.id = id
        self.priority = priority
        self.arrival = arrival
        self.served = served
    }
}

/// Which task gets the next unit: the highest class; within it the one that has had the least compute time, so that a short run
/// is not held up by a long one that came first; then the one that came first.
package enum Schedule {
    package static func next(_ waiting: [Waiting]) -> UInt64? {
        waiting.min { a, b in
            (b.priority.rawValue, a.served, a.arrival) < (a.priority.rawValue, b.served, b.arrival)
        }?.id
    }
}
