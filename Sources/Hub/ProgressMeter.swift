import Synchronization

/// Passes progress on, at most ten times a second, and always when phase or file change or a phase is complete.
final class ProgressMeter: Sendable {
    private struct State {
        var last: FetchProgress?
        var reported: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let report: @Sendable (FetchProgress) -> Void

    init(_ report: @escaping @Sendable (FetchProgress) -> Void) {
        self.report = report
    }

    func update(_ phase: FetchProgress.Phase, _ file: String, _ done: Int64, of total: Int64) {
        let progress = FetchProgress(phase: phase, file: file, doneBytes: done, totalBytes: total)
        let due = state.withLock { state in
            guard progress != state.last else { return false }
            let now = ContinuousClock.now
            if let last = state.last, let reported = state.reported, last.phase == phase, last.file == file,
                done < total || total == 0, now - reported < .milliseconds(100)
            {
                return false
            }
            state.last = progress
            state.reported = now
            return true
        }
        if due { report(progress) }
    }
}
