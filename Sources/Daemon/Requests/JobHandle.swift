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
    private let noted: @Sendable (Hidra_V1_Progress) -> Void
    private let send: @Sendable (Hidra_V1_Progress) -> Void
    private let state = Mutex(State())

    /// - Parameter noted: told of progress that is not sent.
    init(
        id: String, noted: @escaping @Sendable (Hidra_V1_Progress) -> Void, send: @escaping @Sendable (Hidra_V1_Progress) -> Void
    ) {
        self.id = id
        self.noted = noted
        self.send = send
    }

    /// For `ps` alone: whoever asked sees by other messages how far it is.
    func note(_ progress: JobProgress) { noted(Hidra_V1_Progress(job: id, progress)) }

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
