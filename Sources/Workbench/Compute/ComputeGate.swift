import Synchronization

/// Holds a compute task back while it waits for something outside: others have the thread meanwhile.
package final class ComputeGate: Sendable {
    private struct State {
        var isClosed = false
        var opened: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Called by the task, before it asks for what it waits for.
    func close() { state.withLock { $0.isClosed = true } }

    /// Called by whoever brings it, on any thread.
    func open() {
        let opened = state.withLock { state in
            state.isClosed = false
            return state.opened
        }
        opened?()
    }

    /// Set once, by the service that runs the task.
    func whenOpened(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.opened = body } }
}
