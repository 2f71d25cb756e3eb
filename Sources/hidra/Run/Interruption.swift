import HidraClient
import HidraProtocol
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Runs work that Ctrl-C or a deadline may end early. The first SIGINT or SIGTERM cancels the work, which cancels the
/// request at the daemon; the second ends the process at once.
enum Interruption {
    /// - Parameters:
    ///   - deadline: seconds until the work is given up; nil: none.
    ///   - cancelled: what Ctrl-C came to, for the user.
    ///   - restore: what to write to standard error before the process ends without unwinding.
    static func run<Value: Sendable>(
        deadline: Double? = nil, cancelled: String = "Cancelled.", restore: String = "",
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let canceller = Canceller()
        let signals = SignalWatch {
            if canceller.cancel(.signal) { return }
            restore.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
            _exit(ErrorCode.cancelled.exitCode)
        }
        defer { signals.end() }
        let task = Task { try await work() }
        canceller.attach { task.cancel() }
        let timer = deadline.map { seconds in
            Task {
                try await Task.sleep(for: .seconds(seconds))
                _ = canceller.cancel(.deadline)
            }
        }
        defer { timer?.cancel() }
        do {
            return try await task.value
        } catch {
            // Whatever a cancelled task failed with: the cause is the signal or the deadline.
            switch canceller.reason {
            case nil: throw error
            case .signal: throw HidraError(.cancelled, cancelled)
            case .deadline: throw timeout(deadline ?? 0)
            }
        }
    }

    private static func timeout(_ seconds: Double) -> HidraError {
        HidraError(
            .timeout,
            "Not finished within the \(Format.duration(seconds)) of --timeout; gave up and cancelled it. "
                + "Try again with a longer --timeout, or look at `hidra ps`.")
    }
}

/// Cancels a task that may not exist yet, once, and remembers why. Signals and deadlines come on threads of their own.
private final class Canceller: Sendable {
    enum Reason { case signal, deadline }

    private struct State {
        var reason: Reason?
        var cancel: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    var reason: Reason? { state.withLock { $0.reason } }

    /// False when a signal has cancelled it before. A signal counts more than the deadline.
    func cancel(_ reason: Reason) -> Bool {
        let (first, cancel) = state.withLock { state in
            let first = state.reason != .signal
            if first { state.reason = reason }
            return (first, state.cancel)
        }
        cancel?()
        return first
    }

    func attach(_ cancel: @escaping @Sendable () -> Void) {
        let late = state.withLock { state in
            state.cancel = cancel
            return state.reason != nil
        }
        if late { cancel() }
    }
}
