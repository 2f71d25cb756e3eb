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

    /// Held by one `parallel` call at a time; a second caller does its work alone.
    private let busy = Atomic<Bool>(false)
    /// What is being handed out: `Ticket`. A worker takes a part by raising `next`; a late one finds nothing and harms nobody, so
    /// that no call ever waits for a thread that has not begun to work.
    private let ticket = Atomic<UInt64>(0)
    private let finished = Atomic<Int>(0)
    private let slot = WorkSlot()
    private let sleeping = Atomic<Int>(0)
    private let lock = PosixLock()

    /// Generation (28 bits), number of parts (18 bits), next part to take (18 bits).
    private struct Ticket {
        static let mostParts = (1 << 18) - 1
        var bits: UInt64
        var generation: UInt64 { bits >> 36 }
        var parts: Int { Int(bits >> 18) & Self.mostParts }
        var next: Int { Int(bits) & Self.mostParts }

        func following(parts: Int) -> Ticket {
            Ticket(bits: (generation &+ 1) << 36 | UInt64(parts) << 18)
        }
    }

    /// `@unchecked`: written by the caller that holds `busy`, before it publishes the ticket; read by a thread that has taken a part
    /// and not yet counted it as finished, while that caller waits.
    private final class WorkSlot: @unchecked Sendable {
        var body: ((Int) -> Void)?

        /// Not inlined: when it returns, this thread holds no reference to the caller's closure any more.
        @inline(never)
        func run(_ part: Int) { body?(part) }
    }

    package init(threads: Int) {
        self.threads = max(1, threads)
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
        defer { busy.store(false, ordering: .releasing) }
        // More parts than a ticket counts are handed out in groups.
        let group = (parts + Ticket.mostParts - 1) / Ticket.mostParts
        let groups = (parts + group - 1) / group
        let grouped = { (index: Int) in
            for part in index * group..<min((index + 1) * group, parts) { body(part) }
        }
        withoutActuallyEscaping(grouped) { grouped in
            slot.body = grouped
            finished.store(0, ordering: .relaxed)
            let old = Ticket(bits: ticket.load(ordering: .relaxed))
            ticket.store(old.following(parts: groups).bits, ordering: .sequentiallyConsistent)
            if sleeping.load(ordering: .sequentiallyConsistent) > 0 { wakeAll() }
            takeParts()
            var spins = 0
            while finished.load(ordering: .acquiring) < groups {
                spins += 1
                // A worker that has lost its core needs ours to go on.
                if spins < Self.patience { ck_pause() } else { sched_yield() }
            }
            slot.body = nil
        }
    }

    /// Turns of a waiting loop before a thread gives its core away: some tens of microseconds, the gap between two products of a
    /// training step.
    private static let patience = 1500

    private func takeParts() {
        var current = Ticket(bits: ticket.load(ordering: .acquiring))
        while current.next < current.parts {
            let (taken, seen) = ticket.compareExchange(
                expected: current.bits, desired: current.bits + 1, ordering: .acquiringAndReleasing)
            if taken {
                slot.run(current.next)
                finished.add(1, ordering: .releasing)
                current.bits += 1
            } else {
                current.bits = seen
            }
        }
    }

    private func wakeAll() {
        lock.lock()
        lock.broadcast()
        lock.unlock()
    }

    private func worker() {
        var seen: UInt64 = 0
        while true {
            var spins = 0
            while generation == seen, spins < Self.patience {
                ck_pause()
                spins += 1
            }
            if generation == seen {
                lock.lock()
                sleeping.add(1, ordering: .sequentiallyConsistent)
                while generation == seen { lock.wait() }
                sleeping.subtract(1, ordering: .relaxed)
                lock.unlock()
            }
            seen = generation
            takeParts()
        }
    }

    private var generation: UInt64 { Ticket(bits: ticket.load(ordering: .sequentiallyConsistent)).generation }
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
