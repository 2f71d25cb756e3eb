import HidraProtocol
import Synchronization

/// Requests in progress: what `ps` lists, `cancel` reaches and shutdown waits for.
final class JobTable: Sendable {
    struct Job: Sendable {
        let id: String
        let kind: String
        let subject: String
        let client: ClientIdentity
        let request: UInt64
        let started: ContinuousClock.Instant
        var progress: Hidra_V1_Progress
        /// Goes on when its client is gone: its result is registered, not only sent.
        let outlivesClient: Bool
        /// Worth listing: predictions come and go.
        let isListed: Bool
        /// Waits rather than works, and ends by being cancelled: it holds nothing up, a stop least of all.
        let isEndless: Bool
    }

    private struct Entry {
        var job: Job
        var task: Task<Void, Never>?
        var isCancelled = false
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var counter: UInt64 = 0
        var isClosed = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// No new job starts.
    var isStopping: Bool { state.withLock { $0.isClosed } }

    /// Jobs that are to come to an end.
    var count: Int { state.withLock { $0.entries.values.count { !$0.job.isEndless } } }

    var listed: [Job] {
        state.withLock { $0.entries.values.map(\.job).filter(\.isListed).sorted { $0.started < $1.started } }
    }

    enum Start { case started, stopping, full }

    /// Starts a job in a task of its own, unless the daemon is stopping or the client has as many as it may.
    ///
    /// - Parameter quota: jobs of the client, and of those it shares a key with, at a time; nil: any number.
    func start(
        _ kind: String, _ subject: String, client: ClientIdentity, request: UInt64, outlivesClient: Bool,
        isListed: Bool, isEndless: Bool = false, quota: Int? = nil,
        _ body: @escaping @Sendable (_ id: String) async -> Void
    ) -> Start {
        var refusal = Start.stopping
        let id: String? = state.withLock { state in
            guard !state.isClosed else { return nil }
            if let quota, state.entries.values.count(where: { $0.job.client.sharesAccount(with: client) }) >= quota {
                refusal = .full
                return nil
            }
            state.counter += 1
            let id = "job-\(state.counter)"
            var progress = Hidra_V1_Progress()
            progress.job = id
            progress.phase = "queued"
            state.entries[id] = Entry(
                job: Job(
                    id: id, kind: kind, subject: subject, client: client, request: request, started: .now,
                    progress: progress,
                    outlivesClient: outlivesClient, isListed: isListed, isEndless: isEndless))
            return id
        }
        guard let id else { return refusal }
        let task = Task {
            await body(id)
            finish(id)
        }
        let isCancelled = state.withLock { state in
            state.entries[id]?.task = task
            return state.entries[id]?.isCancelled ?? false
        }
        if isCancelled { task.cancel() }
        return .started
    }

    func update(_ id: String, _ progress: Hidra_V1_Progress) {
        state.withLock { $0.entries[id]?.job.progress = progress }
    }

    /// False when there is no such job any more, or none of those that may be cancelled.
    func cancel(_ id: String, where isAllowed: (ClientIdentity) -> Bool = { _ in true }) -> Bool {
        cancel { $0.id == id && isAllowed($0.client) } > 0
    }

    func cancel(client: ClientIdentity, request: UInt64) -> Bool {
        cancel { $0.client == client && $0.request == request } > 0
    }

    /// Cancels what only mattered to a client that is gone.
    func abandon(_ client: ClientIdentity) { _ = cancel { $0.client == client && !$0.outlivesClient } }

    func cancelAll() { _ = cancel { _ in true } }

    private func cancel(_ matches: (Job) -> Bool) -> Int {
        let tasks: [Task<Void, Never>?] = state.withLock { state in
            state.entries.values.filter { matches($0.job) }.map { entry in
                state.entries[entry.job.id]?.isCancelled = true
                return entry.task
            }
        }
        for task in tasks { task?.cancel() }
        return tasks.count
    }

    private func finish(_ id: String) {
        let waiters: [CheckedContinuation<Void, Never>] = state.withLock { state in
            state.entries[id] = nil
            guard state.entries.isEmpty else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// No job starts any more, and those that would not end are cancelled. Returns how many still run.
    func close() -> Int {
        state.withLock { $0.isClosed = true }
        _ = cancel(\.isEndless)
        return count
    }

    /// Waits until no job runs.
    func drained() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                guard !state.entries.isEmpty else { return true }
                state.waiters.append(continuation)
                return false
            }
            if isEmpty { continuation.resume() }
        }
    }
}
