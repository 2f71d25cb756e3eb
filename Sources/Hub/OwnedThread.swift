import Foundation
import Synchronization

/// Says to blocking work that nobody wants its result any more.
final class CancellationFlag: Sendable {
    private let raised = Atomic(false)

    func raise() {
        raised.store(true, ordering: .relaxed)
    }

    var isRaised: Bool {
        raised.load(ordering: .relaxed)
    }

    func check() throws {
        if isRaised { throw CancellationError() }
    }
}

/// Reading files, hashing, unpacking and waiting for a child process block, so they happen on a thread of their own and
/// never on Swift's cooperative pool, which has as many threads as the machine has cores.
enum OwnedThread {
    /// Runs `work` on a new thread. Cancelling the calling task raises the flag that `work` is given.
    static func run<Value: Sendable>(
        _ name: String, _ work: @escaping @Sendable (CancellationFlag) throws -> Value
    ) async throws -> Value {
        let flag = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let thread = Thread {
                    continuation.resume(with: Result { try work(flag) })
                }
                thread.name = name
                thread.start()
            }
        } onCancel: {
            flag.raise()
        }
    }
}
