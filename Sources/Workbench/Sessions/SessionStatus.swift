package import State
import Synchronization
package import Training

/// A session and where it stands.
package struct SessionStatus: Sendable {
    package var record: SessionRecord
    /// nil when it does not run.
    package var live: SessionLive?
}

/// What a running session says of itself between two checkpoints.
package struct SessionLive: Sendable {
    package var phase = "queued"
    package var done = 0, total = 0
    package var unit = "rows"
    package var step = 0, totalSteps = 0
    /// Head → finished epochs.
    package var epochs: [String: [Trainer.Epoch]] = [:]
    /// Head → loss of its latest step, and the best epoch.
    package var losses: [String: Double] = [:]
    package var bestEpochs: [String: Int] = [:]
    package var cacheHits = 0, cacheMisses = 0
    package var stepsPerSecond = 0.0, rowsPerSecond = 0.0
    /// nil while unknown.
    package var secondsLeft: Double?
    package var seconds = 0.0, coreSeconds = 0.0
    package var note = ""
}

/// Core-seconds of the tasks that are begun with it.
package final class CoreTime: Sendable {
    @TaskLocal package static var current: CoreTime?
    private let seconds = Mutex(0.0)

    package init() {}
    package var total: Double { seconds.withLock { $0 } }
    func add(_ seconds: Double) { self.seconds.withLock { $0 += seconds } }
}

/// Steps a second over the last seconds.
struct Pace {
    private var marks: [(time: ContinuousClock.Instant, count: Int)] = []

    /// The rate, and nil before there is one.
    mutating func rate(_ count: Int) -> Double? {
        let now = ContinuousClock.now
        if marks.isEmpty || now - marks[marks.count - 1].time > .milliseconds(200) { marks.append((now, count)) }
        if marks.count > 60 { marks.removeFirst() }
        guard let first = marks.first, now - first.time > .milliseconds(100), count > first.count else { return nil }
        return Double(count - first.count) / ((now - first.time) / .seconds(1))
    }
}
