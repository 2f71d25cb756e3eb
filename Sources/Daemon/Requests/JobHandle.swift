import HidraProtocol
import Synchronization
import Workbench

/// Sends a job's progress to whoever waits for it: every change of phase and every note, and otherwise ten times a second.
final class JobHandle: Sendable {
    private static let interval = Duration.milliseconds(100)

    private struct State {
        var phase = ""
        var last: ContinuousClock.Instant?
    }

    let id: String
    private let send: @Sendable (Hidra_V1_Progress) -> Void
    private let state = Mutex(State())

    init(id: String, send: @escaping @Sendable (Hidra_V1_Progress) -> Void) {
        self.id = id
        self.send = send
    }

    func report(_ progress: JobProgress) { report(Hidra_V1_Progress(job: id, progress)) }

    func report(_ progress: Hidra_V1_Progress) {
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            let isLast = progress.total > 0 && progress.done == progress.total
            guard
                progress.phase != state.phase || !progress.note.isEmpty || isLast
                    || state.last.map({ now - $0 >= Self.interval }) ?? true
            else { return false }
            state.phase = progress.phase
            state.last = now
            return true
        }
        if isDue { send(progress) }
    }
}
