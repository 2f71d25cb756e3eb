import Glibc
import Synchronization

/// Lets urgent work in between two pieces of a long computation, on the thread that runs it: a training step takes a hundred
/// milliseconds, and its products and sums a millisecond or two each. Between them nothing but the step's own tensors exists, so that
/// other tensors can be computed as well, with all threads.
final class WorkBreaks: @unchecked Sendable {
    // `@unchecked`: `urgent` and `isTaken` are used by the thread whose number `owner` holds, and by no other.
    private let wanted = Atomic<Bool>(false)
    /// The thread between `begin` and `end`; 0: none.
    private let owner = Atomic<UInt>(0)
    private var urgent: (() -> Void)?
    private var isTaken = false

    var isWanted: Bool { wanted.load(ordering: .relaxed) }

    func request() { wanted.store(true, ordering: .releasing) }

    func begin(_ urgent: @escaping () -> Void) {
        self.urgent = urgent
        owner.store(UInt(pthread_self()), ordering: .relaxed)
    }

    func end() {
        owner.store(0, ordering: .relaxed)
        urgent = nil
    }

    /// On any thread; does nothing on another than the one that began, or inside the urgent work itself.
    func take() {
        guard owner.load(ordering: .relaxed) == UInt(pthread_self()), !isTaken, let urgent else { return }
        wanted.store(false, ordering: .relaxed)
        isTaken = true
        urgent()
        isTaken = false
    }
}
