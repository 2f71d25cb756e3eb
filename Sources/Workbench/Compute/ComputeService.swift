import Foundation
package import Scheduling
import State
import Synchronization
import TensorCore

/// Work on the compute thread, cut into units of some ten milliseconds.
///
/// A task is made on the compute thread and never leaves it, so it may own tensors.
package protocol ComputeTask {
    associatedtype Output: Sendable
    /// Does one unit. Returns the result when it was the last, nil when there is more to do.
    mutating func step() throws -> Output?
}

/// The compute thread: runs one unit at a time and decides after each which task goes on. All tensors live here; the units
/// themselves spread over the worker threads.
package final class ComputeService: Sendable {
    private struct Entry {
        var waiting: Waiting
        var isCancelled = false
        let slot: Slot
        /// Pays for the units.
        let meter: Meter?
        let gate: ComputeGate?
        let deadline: ComputeDeadline?
        let coreTime: CoreTime?
    }

    /// What the compute thread runs for an entry; made from any thread, used on the compute thread only.
    private final class Slot: @unchecked Sendable {
        // `@unchecked`: `step` and `abandon` are called on the compute thread only, one at a time.
        /// Does a unit; true when the task is over and its caller has been answered.
        let step: () -> Bool
        let abandon: (any Error) -> Void

        init(step: @escaping () -> Bool, abandon: @escaping (any Error) -> Void) {
            self.step = step
            self.abandon = abandon
        }
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var nextID: UInt64 = 0
        var isStopping = false
        var ledger = Ledger()

        /// Accounts that want the engine.
        var active: Set<Account> { Set(entries.values.map(\.waiting.account)) }
    }

    private let state = Mutex(State())
    /// Signalled once for each change that may give the thread something to do.
    private let changed = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    package init() {
        let thread = Thread { [self] in loop() }
        thread.name = "hidra-compute"
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Runs a task and returns its result. Cancelling the calling Swift task ends it before its next unit.
    ///
    /// - Parameters:
    ///   - gate: while it is closed the task has no turn.
    ///   - deadline: when it should be done.
    ///   - make: builds the task, on the compute thread, when its first unit is due.
    package func run<Task: ComputeTask>(
        _ priority: Priority, gate: ComputeGate? = nil, deadline: ComputeDeadline? = nil,
        _ make: @escaping @Sendable () throws -> Task
    ) async throws -> Task.Output {
        let meter = Meter.current, account = Account.current, coreTime = CoreTime.current
        try meter?.requireTime()
        gate?.whenOpened { [changed] in changed.signal() }
        let id = newID()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // Cancelled before it was queued: the handler ran first and found nothing to mark.
                enqueue(id, priority, account, isCancelled: _Concurrency.Task.isCancelled, gate, deadline, meter, coreTime, make) {
                    continuation.resume(with: $0)
                }
            }
        } onCancel: {
            state.withLock { $0.entries[id]?.isCancelled = true }
            changed.signal()
        }
    }

    /// Runs a task for nobody in particular; it charges its time itself.
    ///
    /// - Parameter completion: called once, on the compute thread or, when the service is stopping, on the caller's.
    func start<Task: ComputeTask>(
        _ priority: Priority, _ make: @escaping @Sendable () throws -> Task,
        completion: @escaping @Sendable (Result<Task.Output, any Error>) -> Void
    ) {
        enqueue(newID(), priority, .common, isCancelled: false, nil, nil, nil, nil, make, completion)
    }

    private func newID() -> UInt64 {
        state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
    }

    /// Runs `body` as a task of one unit.
    package func perform<Output: Sendable>(
        _ priority: Priority, _ body: @escaping @Sendable () throws -> Output
    ) async throws -> Output {
        try await run(priority) { OneUnit(body: body) }
    }

    private struct OneUnit<Output: Sendable>: ComputeTask {
        let body: () throws -> Output
        func step() throws -> Output? { try body() }
    }

    private func enqueue<Task: ComputeTask>(
        _ id: UInt64, _ priority: Priority, _ account: Account, isCancelled: Bool, _ gate: ComputeGate?,
        _ deadline: ComputeDeadline?, _ meter: Meter?, _ coreTime: CoreTime?,
        _ make: @escaping @Sendable () throws -> Task,
        _ completion: @escaping @Sendable (Result<Task.Output, any Error>) -> Void
    ) {
        var task: Task?
        let slot = Slot(
            step: {
                do {
                    if task == nil { task = try make() }
                    guard let output = try task?.step() else { return false }
                    // Tensors go before the caller continues: it may free what they were made from.
                    task = nil
                    completion(.success(output))
                } catch {
                    task = nil
                    completion(.failure(error))
                }
                return true
            },
            abandon: { error in
                task = nil
                completion(.failure(error))
            })
        let isStopping = state.withLock { state in
            guard !state.isStopping else { return true }
            if !state.active.contains(account) { state.ledger.arrive(account) }
            let waiting = Waiting(id: id, priority: priority, arrival: id, served: 0, account: account)
            state.entries[id] = Entry(
                waiting: waiting, isCancelled: isCancelled, slot: slot, meter: meter, gate: gate, deadline: deadline,
                coreTime: coreTime)
            return false
        }
        if isStopping { return slot.abandon(WorkbenchError.stopping) }
        changed.signal()
        // A unit of training that is under way lets it in.
        if priority == .interactive { WorkerPool.shared.requestBreak() }
    }

    /// Tasks that wait, by priority.
    package var waiting: [Priority: Int] {
        state.withLock { state in
            Dictionary(state.entries.values.map { ($0.waiting.priority, 1) }, uniquingKeysWith: +)
        }
    }

    /// Whether no new task is taken.
    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Ends the thread after the unit in progress; whoever still waits gets `interrupted`.
    package func stop() async {
        state.withLock { $0.isStopping = true }
        changed.signal()
        await withCheckedContinuation { continuation in
            let thread = Thread { [ended] in
                ended.wait()
                ended.signal()
                continuation.resume()
            }
            thread.start()
        }
    }

    // MARK: The thread

    private enum Turn {
        case run(UInt64, Slot, Meter?, Priority)
        case abandon([Slot], any Error)
        case wait
        case end([Slot])
    }

    private func loop() {
        while true {
            switch turn() {
            case .wait: changed.wait()
            case .abandon(let slots, let error):
                for slot in slots { slot.abandon(error) }
            case .end(let slots):
                for slot in slots { slot.abandon(WorkbenchError.stopping) }
                ended.signal()
                return
            case .run(let id, let slot, let meter, .interactive): run(id, meter, slot.step)
            case .run(let id, let slot, let meter, _):
                // Whoever waits for an answer need not wait for a whole unit of training.
                var breaks = 0.0
                run(id, meter, { WorkerPool.shared.withBreaks(for: { breaks += self.runInteractive() }, slot.step) }, breaks: { breaks })
            }
        }
    }

    /// Does a unit and charges it.
    ///
    /// - Parameter breaks: seconds of it that were others'.
    @discardableResult
    private func run(_ id: UInt64, _ meter: Meter?, _ unit: () -> Bool, breaks: () -> Double = { 0 }) -> Double {
        let start = ContinuousClock.now
        let isOver = unit()
        let elapsed = (ContinuousClock.now - start) / .seconds(1), own = max(0, elapsed - breaks())
        let coreSeconds = own * Double(WorkerPool.shared.threads)
        meter?.charge(coreSeconds: coreSeconds)
        state.withLock { state in
            let account = state.entries[id]?.waiting.account ?? .common
            state.entries[id]?.coreTime?.add(coreSeconds)
            if isOver { state.entries[id] = nil } else { state.entries[id]?.waiting.served += own }
            state.ledger.charge(account, coreSeconds: coreSeconds, active: state.active)
        }
        return elapsed
    }

    /// In a break of a unit: the interactive units that are due. Returns the seconds they took.
    private func runInteractive() -> Double {
        var seconds = 0.0
        while case .run(let id, let slot, let meter, _) = turn(inBreak: true) { seconds += run(id, meter, slot.step) }
        return seconds
    }

    /// - Parameter inBreak: only what is interactive; what has to be abandoned waits.
    private func turn(inBreak: Bool = false) -> Turn {
        state.withLock { state in
            if inBreak, state.isStopping { return .wait }
            if state.isStopping {
                defer { state.entries = [:] }
                return .end(state.entries.values.map(\.slot))
            }
            let cancelled = state.entries.filter { $0.value.isCancelled }
            if !cancelled.isEmpty, !inBreak {
                for id in cancelled.keys { state.entries[id] = nil }
                return .abandon(cancelled.values.map(\.slot), CancellationError())
            }
            let ready = state.entries.values.filter { entry in
                !(entry.gate?.isClosed ?? false) && (!inBreak || entry.waiting.priority == .interactive && !entry.isCancelled)
            }.map { entry in
                var waiting = entry.waiting
                waiting.deadline = entry.deadline?.now
                return waiting
            }
            guard let id = Schedule.next(ready, ledger: state.ledger, now: ComputeDeadline.clock), let entry = state.entries[id] else {
                return .wait
            }
            do { try entry.meter?.requireTime() } catch {
                if inBreak { return .wait }
                state.entries[id] = nil
                return .abandon([entry.slot], error)
            }
            return .run(id, entry.slot, entry.meter, entry.waiting.priority)
        }
    }
}

extension WorkbenchError {
    static var stopping: WorkbenchError {
        WorkbenchError(.interrupted, "The daemon is stopping. Repeat the request when it runs again.")
    }
}
