import Synchronization

/// How a session that runs is told to stop. It looks after every unit of work.
final class SessionControl: Sendable {
    enum Stop: Sendable, Equatable {
        /// Goes on when somebody says so.
        case pause(String)
        /// Nothing of it is registered.
        case cancel
        /// The daemon stops; the next one goes on with it.
        case suspend
    }

    private struct State {
        var stop: Stop?
        /// What a unit of work in progress can be ended by, when it needs no checkpoint.
        var task: Task<Void, Never>?
        var mayCancel = true
    }

    private let state = Mutex(State())
    /// Held closed while a plugin computes.
    let gate = ComputeGate()

    var stop: Stop? { state.withLock { $0.stop } }

    func request(_ stop: Stop) {
        let task = state.withLock { state in
            // To cancel is stronger than to pause.
            if state.stop != .cancel { state.stop = stop }
            return state.mayCancel ? state.task : nil
        }
        task?.cancel()
        gate.open()
    }

    func begin(_ task: Task<Void, Never>) {
        let isStopped = state.withLock { state in
            state.task = task
            return state.stop != nil && state.mayCancel
        }
        if isStopped { task.cancel() }
    }

    /// From now on the work itself looks for `stop`, and makes a checkpoint first.
    func takeOver() { state.withLock { $0.mayCancel = false } }
}
