import CKernels
import COpenBLAS
import Foundation
import Glibc
import Synchronization

/// Our own compute threads. Work is split over rows or sequences and each part calls single-threaded kernels; nothing here runs
/// on Swift's cooperative pool.
package final class WorkerPool: Sendable {
    /// One pool for the process, as many threads as cores (or `HIDRA_THREADS`): two pools would only fight for the cores.
    package static let shared = WorkerPool(threads: WorkerPool.defaultThreads)

    /// Threads that work in one `parallel` call, the caller's included.
    package let threads: Int

    private struct State: ~Copyable {
        var generation: UInt64 = 0
        var parts = 0
        var running = 0
        var work: Work?
        var stopping = false
    }

    /// Guards everything below: one `parallel` call at a time has the workers; a second caller does its work alone.
    private let busy = Atomic<Bool>(false)
    private let lock = PosixLock()
    private let state: StateBox
    private let nextPart = Atomic<Int>(0)
    /// Rises with each call; workers spin on it for a moment before they sleep, because a step's parts come microseconds apart.
    private let generation = Atomic<UInt64>(0)
    private let remaining = Atomic<Int>(0)

    /// `@unchecked`: the closure outlives no `parallel` call, and each part index is handed out once.
    private struct Work: @unchecked Sendable {
        let body: (Int) -> Void
    }

    /// `@unchecked`: only touched with `lock` held.
    private final class StateBox: @unchecked Sendable {
        var state = State()
    }

    package init(threads: Int) {
        self.threads = max(1, threads)
        self.state = StateBox()
        openblas_set_num_threads(1)
        for index in 1..<max(self.threads, 1) {
            let thread = Thread { [self] in worker() }
            thread.name = "hidra-worker-\(index)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    private static var defaultThreads: Int {
        if let text = ProcessInfo.processInfo.environment["HIDRA_THREADS"], let count = Int(text),
            (1...256).contains(count)
        {
            return count
        }
        return ProcessInfo.processInfo.activeProcessorCount
    }

    /// Calls `body` once for each part in `0..<parts`, on several threads, and returns when all are done.
    /// A call from inside a part, or while another thread has the workers, runs its parts in order on the calling thread.
    package func parallel(_ parts: Int, _ body: (Int) -> Void) {
        guard parts > 1, threads > 1, !busy.exchange(true, ordering: .acquiring) else {
            for part in 0..<parts { body(part) }
            return
        }
        withoutActuallyEscaping(body) { body in
            nextPart.store(0, ordering: .relaxed)
            lock.lock()
            state.state.work = Work(body: body)
            state.state.parts = parts
            remaining.store(threads - 1, ordering: .relaxed)
            state.state.generation += 1
            generation.store(state.state.generation, ordering: .releasing)
            lock.broadcast()
            lock.unlock()
            run(body, parts)
            var spins = 0
            while remaining.load(ordering: .acquiring) > 0 {
                spins += 1
                if spins > 2_000 { sched_yield() }
            }
            lock.lock()
            state.state.work = nil
            lock.unlock()
        }
        busy.store(false, ordering: .releasing)
    }

    private func run(_ body: (Int) -> Void, _ parts: Int) {
        while true {
            let part = nextPart.add(1, ordering: .relaxed).oldValue
            if part >= parts { return }
            body(part)
        }
    }

    /// A function of its own, not inlined: when it returns, this thread holds no reference to the caller's closure any more,
    /// which must not outlive the caller's `parallel`.
    @inline(never)
    private func runCurrentWork(_ seen: inout UInt64) {
        lock.lock()
        while state.state.generation == seen { lock.wait() }
        seen = state.state.generation
        let work = state.state.work
        let parts = state.state.parts
        lock.unlock()
        if let work { run(work.body, parts) }
    }

    private func worker() {
        var seen: UInt64 = 0
        while true {
            var spins = 0
            // Some fifty microseconds: the gap between two products of a training step.
            while generation.load(ordering: .acquiring) == seen, spins < 100_000 { spins += 1 }
            runCurrentWork(&seen)
            remaining.subtract(1, ordering: .releasing)
        }
    }
}

/// A mutex with its condition variable, for threads of ours that sleep until there is work.
final class PosixLock: @unchecked Sendable {
    // `@unchecked`: both objects are made to be shared between threads.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        condition.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
    func wait() { pthread_cond_wait(condition, mutex) }
    func broadcast() { pthread_cond_broadcast(condition) }
}
