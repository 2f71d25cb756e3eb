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
    /// Rises with each call.
    private let generation = Atomic<UInt64>(0)
    private let tickets: Tickets
    private let finished = Atomic<Int>(0)
    private let slot = WorkSlot()
    private let sleeping = Atomic<Int>(0)
    private let lock = PosixLock()
    private let breaks = WorkBreaks()

    /// Parts still to be taken of one thread's share: generation (28 bits), end (18 bits), next part (18 bits). Whoever takes a part
    /// raises `next`; a late thread finds nothing and harms nobody, so that no call ever waits for a thread that has not begun.
    private struct Ticket {
        static let mostParts = (1 << 18) - 1
        var bits: UInt64
        var end: Int { Int(bits >> 18) & Self.mostParts }
        var next: Int { Int(bits) & Self.mostParts }

        init(bits: UInt64) { self.bits = bits }

        init(_ generation: UInt64, _ parts: Range<Int>) {
            bits = generation << 36 | UInt64(parts.upperBound) << 18 | UInt64(parts.lowerBound)
        }
    }

    /// One ticket for each thread, each on a cache line of its own. `@unchecked`: atomics only, and the memory never changes.
    private final class Tickets: @unchecked Sendable {
        private static let line = 8
        private let memory: UnsafeMutablePointer<Atomic<UInt64>>
        private let count: Int

        init(_ count: Int) {
            self.count = count
            memory = .allocate(capacity: count * Self.line)
            for index in 0..<count * Self.line { (memory + index).initialize(to: Atomic<UInt64>(0)) }
        }

        deinit {
            memory.deinitialize(count: count * Self.line)
            memory.deallocate()
        }

        func publish(_ ticket: Ticket, of thread: Int) {
            memory[thread * Self.line].store(ticket.bits, ordering: .releasing)
        }

        /// Takes a part of the thread's share, if one is left.
        func take(of thread: Int) -> Int? {
            var current = Ticket(bits: memory[thread * Self.line].load(ordering: .acquiring))
            while current.next < current.end {
                let (taken, seen) = memory[thread * Self.line].compareExchange(
                    expected: current.bits, desired: current.bits + 1, ordering: .acquiringAndReleasing)
                if taken { return current.next }
                current.bits = seen
            }
            return nil
        }
    }

    /// `@unchecked`: written by the caller that holds `busy`, before it publishes the ticket; read by a thread that has taken a part
    /// and not yet counted it as finished, while that caller waits.
    private final class WorkSlot: @unchecked Sendable {
        var work: UnsafeRawPointer?
        var kind: (any PartedWork.Type)?
        var parts = 0
        /// Parts that one ticket's number stands for.
        var group = 1

        /// Not inlined: when it returns, this thread holds no reference to the caller's work any more.
        @inline(never)
        func run(_ index: Int) {
            guard let work, let kind else { return }
            kind.run(index * group..<min((index + 1) * group, parts), of: work)
        }
    }

    /// Whether a `parallel` call is under way: another one would run on its caller's thread.
    var isBusy: Bool { busy.load(ordering: .relaxed) }

    package init(threads: Int) {
        self.threads = max(1, threads)
        tickets = Tickets(self.threads)
        openblas_set_num_threads(1)
        for index in 1..<max(self.threads, 1) {
            let thread = Thread { [self] in worker(index) }
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

    /// Runs `body`, a long computation; whenever somebody asks for a break, `urgent` runs on the same thread before the next `parallel` call
    /// that is not itself part of one.
    package func withBreaks<Result>(for urgent: @escaping () -> Void, _ body: () throws -> Result) rethrows -> Result {
        breaks.begin(urgent)
        defer { breaks.end() }
        return try body()
    }

    /// Asks whoever computes with breaks for one.
    package func requestBreak() { breaks.request() }

    /// Calls `body` once for each part in `0..<parts`, on several threads, and returns when all are done.
    /// A call from inside a part, or while another thread has the workers, runs its parts in order on the calling thread.
    package func parallel(_ parts: Int, _ body: (Int) -> Void) {
        guard parts > 1, threads > 1 else {
            for part in 0..<parts { body(part) }
            return
        }
        withoutActuallyEscaping(body) { parallel(parts, ClosureWork(body: $0)) }
    }

    /// The same without a closure, which would be allocated.
    package func parallel(_ parts: Int, _ work: some PartedWork) {
        if breaks.isWanted, !isBusy { breaks.take() }
        guard parts > 1, threads > 1, !busy.exchange(true, ordering: .acquiring) else {
            for part in 0..<parts { work.run(part) }
            return
        }
        defer { busy.store(false, ordering: .releasing) }
        withUnsafePointer(to: work) { share(parts, UnsafeRawPointer($0), type(of: work)) }
    }

    /// Of the caller that holds `busy`.
    private func share(_ parts: Int, _ work: UnsafeRawPointer, _ kind: any PartedWork.Type) {
        // More parts than a ticket counts are handed out in groups.
        let group = (parts + Ticket.mostParts - 1) / Ticket.mostParts
        let groups = (parts + group - 1) / group
        (slot.work, slot.kind, slot.parts, slot.group) = (work, kind, parts, group)
        finished.store(0, ordering: .relaxed)
        let next = generation.load(ordering: .relaxed) + 1
        // The same share for the same thread in every call: what it has just written is in its cache.
        for thread in 0..<threads {
            tickets.publish(Ticket(next, groups * thread / threads..<groups * (thread + 1) / threads), of: thread)
        }
        generation.store(next, ordering: .sequentiallyConsistent)
        if sleeping.load(ordering: .sequentiallyConsistent) > 0 { wakeAll() }
        takeParts(0)
        var spins = 0
        while finished.load(ordering: .acquiring) < groups {
            spins += 1
            // A worker that has lost its core needs ours to go on.
            if spins < Self.patience { ck_pause() } else { sched_yield() }
        }
        (slot.work, slot.kind) = (nil, nil)
    }

    /// Turns of a waiting loop before a thread gives its core away: some tens of microseconds, the gap between two products of a
    /// training step.
    private static let patience = 1500

    /// The thread's own share first, then what the others have not begun.
    private func takeParts(_ own: Int) {
        for offset in 0..<threads {
            let thread = (own + offset) % threads
            while let part = tickets.take(of: thread) {
                slot.run(part)
                finished.add(1, ordering: .releasing)
            }
        }
    }

    private func wakeAll() {
        lock.lock()
        lock.broadcast()
        lock.unlock()
    }

    private func worker(_ index: Int) {
        var seen: UInt64 = 0
        while true {
            var spins = 0
            while generation.load(ordering: .acquiring) == seen, spins < Self.patience {
                ck_pause()
                spins += 1
            }
            if generation.load(ordering: .acquiring) == seen {
                lock.lock()
                sleeping.add(1, ordering: .sequentiallyConsistent)
                while generation.load(ordering: .sequentiallyConsistent) == seen { lock.wait() }
                sleeping.subtract(1, ordering: .relaxed)
                lock.unlock()
            }
            seen = generation.load(ordering: .acquiring)
            takeParts(index)
        }
    }
}

/// Work in parts that may run at the same time.
package protocol PartedWork {
    func run(_ part: Int)
}

extension PartedWork {
    /// Runs parts of the `Self` at `address`.
    fileprivate static func run(_ parts: Range<Int>, of address: UnsafeRawPointer) {
        let work = address.assumingMemoryBound(to: Self.self)
        for part in parts { work.pointee.run(part) }
    }
}

private struct ClosureWork: PartedWork {
    let body: (Int) -> Void
    func run(_ part: Int) { body(part) }
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
