import Foundation
import Scheduling
import Synchronization

/// When a task should be done, and what the task itself says is left to do.
package final class ComputeDeadline: Sendable {
    private let time: Double
    /// Seconds of computing, as bits of a double.
    private let remaining = Atomic<UInt64>(0)

    /// Seconds, that do not jump when somebody sets the clock.
    static var clock: Double { ProcessInfo.processInfo.systemUptime }

    package init(in seconds: Double) { time = Self.clock + seconds }

    /// Called by the task, after its units.
    func expect(seconds: Double) { remaining.store(seconds.bitPattern, ordering: .relaxed) }

    var now: Waiting.Deadline {
        Waiting.Deadline(time: time, remaining: Double(bitPattern: remaining.load(ordering: .relaxed)))
    }
}
