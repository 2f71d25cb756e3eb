import Encoders
import Foundation
import Heads
import Scheduling
import Sessions
package import State
import Synchronization
import TensorCore

/// The sessions that run, by name.
final class SessionTable: Sendable {
    private let running = Mutex<[String: LiveSession]>([:])

    /// False when it runs already.
    func add(_ live: LiveSession, named name: String) -> Bool {
        running.withLock { running in
            guard running[name] == nil else { return false }
            running[name] = live
            return true
        }
    }

    func remove(_ name: String) { running.withLock { $0[name] = nil } }
    subscript(name: String) -> LiveSession? { running.withLock { $0[name] } }
    /// A running session that reads an encoder, or makes a head, of this name.
    func user(of name: String) -> String? { running.withLock { $0.first { $0.value.names.contains(name) }?.key } }
    var all: [LiveSession] { running.withLock { Array($0.values) } }
}

extension Workbench {
    /// What happens to sessions, for whoever publishes it: session, event, values.
    package typealias SessionEvents = @Sendable (_ session: String, _ event: String, _ values: [String: String]) -> Void

    /// Looks whether a session could start: encoders, names, labels, memory. Takes nothing.
    package func checkSession(_ request: SessionRequest) async throws -> (estimate: SessionEstimate, notes: [String]) {
        try await requireRoom(for: request.plan)
        let loaded = try await loadedEncoders(request.plan)
        // Layers, targets and the encoder itself: whether it can be trained at all.
        for encoder in loaded.values {
            switch request.plan.train.what {
            case .heads: break
            case .lora(let lowRank):
                _ = try TuningPlan.lora(rank: lowRank.rank, alpha: lowRank.alpha, targets: lowRank.targets, of: encoder)
            case .top(let layers): _ = try TuningPlan.top(layers, of: encoder)
            }
        }
        let folder = try registry.directory.stage()
        let checked = try await Workbench.offPool {
            defer { Self.discard(folder) }
            let files = try SessionFolder.write(request, to: folder)
            var rows: [String: SessionRows] = [:]
            for file in files { rows[file.path] = try SessionRows(file, folder: folder, session: request.plan.name) }
            let tasks = try SessionTasks(request.plan, rows: rows, folder: folder, graphs: request.graphs, loaded)
            let estimate = SessionEstimate(
                tasks, loaded, budget: request.plan.budget.memoryMegabytes, available: MemoryEstimate.available())
            try estimate.require(request.plan)
            return (estimate, tasks.tasks.flatMap { task in task.plan.notes.map { "\(task.head.name): \($0)" } })
        }
        return checked
    }

    /// Starts a session: it is on the disk with its own copy of the rows, and runs, when this returns.
    ///
    /// - Throws: `alreadyExists`, `notFound`, `invalidData`, `limitExceeded`, `unavailable` for a plugin that is not there.
    package func startSession(
        _ request: SessionRequest, events: @escaping SessionEvents = { _, _, _ in }
    ) async throws -> (record: SessionRecord, estimate: SessionEstimate, notes: [String]) {
        let plan = request.plan
        for plugin in plan.plugins where losses.callee(named: plugin) == nil {
            throw WorkbenchError(
                .unavailable,
                "Plugin '\(plugin)' computes the loss of a head, and is not there. Start it, e.g. with `hidra plugin start \(plugin) --wait`.",
                details: ["plugin": plugin])
        }
        let (estimate, notes) = try await checkSession(request)
        let loaded = try await loadedEncoders(plan), staged = try registry.directory.stage()
        let data: [SessionRecord.DataFile]
        do {
            data = try await Workbench.offPool { try SessionFolder.write(request, to: staged) }
        } catch {
            Self.discard(staged)
            throw error
        }
        let now = Date().timeIntervalSince1970
        let record = SessionRecord(
            name: plan.name, id: Registry.newSessionID(), state: .running, document: request.document, created: now, data: data,
            encoders: loaded.mapValues(\.record.digest),
            versions: ["document": String(SessionPlan.version), "kernels": KernelLevel.current],
            runs: Dictionary(uniqueKeysWithValues: plan.heads.map { ($0.name, Registry.newRunID()) }), owner: request.owner)
        let added = try await registry.addSession(record, staged: staged)
        run(added, plan, events)
        return (added, estimate, notes)
    }

    /// A session that was running when the daemon ended goes on by itself. Returns how many.
    @discardableResult
    package func resumeSessions(events: @escaping SessionEvents = { _, _, _ in }) async throws -> Int {
        let records = try await registry.sessions().filter { $0.state == .running }
        for record in records { try await goOn(record, events) }
        return records.count
    }

    private func goOn(_ record: SessionRecord, _ events: @escaping SessionEvents) async throws {
        do {
            run(record, try SessionPlan(document: record.document), events)
        } catch {
            let message = String(describing: error)
            try await registry.updateSession(record.name, event: "failed") { ($0.state, $0.message) = (.failed, message) }
        }
    }

    /// - Parameter digests: file, as the document names it → SHA-256 of its bytes now, as far as it is known.
    /// - Throws: `conflict` with both digests when a file is another than when the session started, or when the session has ended.
    package func resumeSession(
        _ name: String, digests: [String: String] = [:], events: @escaping SessionEvents = { _, _, _ in }
    ) async throws -> SessionRecord {
        let record = try await registry.session(named: name)
        guard !record.state.hasEnded else {
            throw WorkbenchError(
                .conflict, "Session '\(name)' has ended (\(record.state.rawValue)); it cannot go on.",
                details: ["name": name, "state": record.state.rawValue])
        }
        for file in record.data where !file.fileDigest.isEmpty {
            guard let digest = digests[file.path], digest != file.fileDigest else { continue }
            throw WorkbenchError.edited(file.path, was: file.fileDigest, is: digest, session: name)
        }
        for (encoder, digest) in record.encoders {
            let present = try await registry.encoder(named: encoder)
            guard present.digest != digest else { continue }
            throw WorkbenchError(
                .conflict,
                "Session '\(name)' was started with another version of encoder '\(encoder)' (\(digest.prefix(16))…; now "
                    + "\(present.digest.prefix(16))…). Register the former one under this name, or start another session.",
                details: ["encoder": encoder, "was": digest, "is": present.digest])
        }
        guard sessions[name] == nil else { return record }
        let resumed = try await registry.updateSession(name, event: "resumed") { record in
            (record.state, record.message) = (.running, "")
            (record.grantedSeconds, record.grantedCoreSeconds) = (record.seconds, record.coreSeconds)
        }
        try await goOn(resumed, events)
        return resumed
    }

    /// Ends within one step. Returns when it has.
    package func stopSession(_ name: String, cancel: Bool) async throws -> SessionRecord {
        let record = try await registry.session(named: name)
        if let live = sessions[name] {
            live.control.request(cancel ? .cancel : .pause("Paused."))
            await live.finished()
            return try await registry.session(named: name)
        }
        guard record.state == .paused, cancel else {
            if record.state == .paused { return record }
            throw WorkbenchError(
                .conflict, "Session '\(name)' does not run any more (\(record.state.rawValue)).",
                details: ["name": name, "state": record.state.rawValue])
        }
        return try await registry.updateSession(name, event: "cancelled") { ($0.state, $0.message) = (.cancelled, "Cancelled.") }
    }

    package func sessionStatus(_ name: String) async throws -> SessionStatus {
        let live = sessions[name]?.current
        return SessionStatus(record: try await registry.session(named: name), live: live)
    }

    package func sessionStatuses() async throws -> [SessionStatus] {
        try await registry.sessions().map { SessionStatus(record: $0, live: sessions[$0.name]?.current) }
    }

    /// Every running session makes a checkpoint and stops; the next daemon goes on with it.
    package func suspendSessions() async {
        let all = sessions.all
        for live in all { live.control.request(.suspend) }
        for live in all { await live.finished() }
    }

    // MARK: Running

    private func run(_ record: SessionRecord, _ plan: SessionPlan, _ events: @escaping SessionEvents) {
        let live = LiveSession(record, plan)
        guard sessions.add(live, named: record.name) else { return }
        let runner = SessionRunner(workbench: self, session: plan, record: record, live: live)
        let account = Account("session \(record.id)", share: plan.schedule.share)
        events(record.name, "running", ["id": record.id])
        let task = Task {
            await Account.$current.withValue(account) {
                await CoreTime.$current.withValue(live.coreTime) {
                    let end: Result<SessionRunner.End, any Error>
                    do { end = .success(try await runner.run()) } catch { end = .failure(error) }
                    await settle(record, end, events)
                }
            }
            sessions.remove(record.name)
            live.end()
        }
        live.control.begin(task)
    }

    /// Records how a stretch of work ended.
    private func settle(
        _ record: SessionRecord, _ end: Result<SessionRunner.End, any Error>, _ events: SessionEvents
    ) async {
        do {
            switch end {
            case .success(.finished(let finished)):
                events(record.name, "finished", ["heads": finished.results.keys.sorted().joined(separator: ",")])
            case .success(.stopped(.suspend)): events(record.name, "interrupted", [:])
            case .success(.stopped(.cancel)):
                try await registry.updateSession(record.name, event: "cancelled") { ($0.state, $0.message) = (.cancelled, "Cancelled.") }
                events(record.name, "cancelled", [:])
            case .success(.stopped(.pause(let message))):
                try await registry.updateSession(record.name, event: "paused") { ($0.state, $0.message) = (.paused, message) }
                events(record.name, "paused", ["message": message])
            case .failure(let error):
                // At the daemon's end everything that waits is interrupted; the next one goes on.
                if compute.isStopping || isStopping { return }
                let (state, message) = Self.state(after: error)
                try await registry.updateSession(record.name, event: state.rawValue) { ($0.state, $0.message) = (state, message) }
                events(record.name, state.rawValue, ["message": message])
            }
        } catch {
            events(record.name, "failed", ["message": "Its end could not be recorded: \(error)"])
        }
    }

    /// What can be put right pauses a session; what would come again fails it.
    private static func state(after error: any Error) -> (SessionRecord.State, String) {
        guard let error = error as? WorkbenchError else { return (.paused, String(describing: error)) }
        switch error.code {
        case .invalidArgument, .invalidData, .unsupported, .corrupt, .internalError: return (.failed, error.message)
        default: return (.paused, error.message)
        }
    }

    private func loadedEncoders(_ plan: SessionPlan) async throws -> [String: LoadedEncoder] {
        var loaded: [String: LoadedEncoder] = [:]
        for name in plan.encoders {
            loaded[name] = try await encoders.encoder(named: name, precision: plan.train.what.hasBody ? .fp32 : nil)
        }
        return loaded
    }

    /// The names that the session will register are free, or may be replaced.
    private func requireRoom(for plan: SessionPlan) async throws {
        for head in plan.heads { try await registry.requireHeadName(head.name, replacing: plan.replace) }
        guard plan.train.what.hasBody else { return }
        if try await registry.encoders().contains(where: { $0.name == plan.name }) {
            throw WorkbenchError(
                .alreadyExists,
                "There is already an encoder '\(plan.name)', which is what the session's trained encoder would be called. Rename the session, or "
                    + "remove the encoder with `hidra rm \(plan.name)`.", details: ["name": plan.name])
        }
    }

    private static func discard(_ folder: URL) {
        // Staging is swept at the next start in any case.
        do { try FileManager.default.removeItem(at: folder) } catch CocoaError.fileNoSuchFile {} catch {}
    }
}
