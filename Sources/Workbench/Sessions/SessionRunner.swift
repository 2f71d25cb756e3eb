import Encoders
import Foundation
import Heads
import Scheduling
import Sessions
import State
import Synchronization
import TensorCore
import Training

/// Takes one session from where it stands to its end: features, training, evaluation, registering. After a crash at any point the next one
/// begins at the last checkpoint and comes to the same bytes.
struct SessionRunner: Sendable {
    /// How long a plugin that computes a loss may be away.
    static let patience = Duration.seconds(120)

    let workbench: Workbench
    let session: SessionPlan
    let record: SessionRecord
    let live: LiveSession

    private var control: SessionControl { live.control }
    private var folder: URL { workbench.registry.folder(of: record) }

    enum End: Sendable {
        case finished(SessionRecord)
        case stopped(SessionControl.Stop)
    }

    func run() async throws -> End {
        do {
            return try await perform()
        } catch is CancellationError {
            guard let stop = control.stop else { throw CancellationError() }
            return .stopped(stop)
        } catch let error as WorkbenchError where error.code == .cancelled && control.stop != nil {
            return .stopped(control.stop ?? .cancel)
        }
    }

    private func perform() async throws -> End {
        live.update { $0.phase = JobProgress.Phase.loading.rawValue }
        let loaded = try await encoders()
        let tasks = try await tasks(loaded)
        try await requireLabels(tasks)
        let estimate = SessionEstimate(
            tasks, loaded, budget: session.budget.memoryMegabytes, available: MemoryEstimate.available())
        try estimate.require(session)
        let material = try await material(tasks, loaded, estimate)
        if let stop = control.stop { return .stopped(stop) }
        let staging = try SessionTraining.Staging(
            heads: tasks.tasks.map { _ in try workbench.registry.directory.stage() },
            encoder: material.base == nil ? nil : workbench.registry.directory.stage())
        let output = try await train(material, staging)
        try await saveCheckpoint(output.state, output.step, output.totalSteps)
        if let stop = output.stop { return .stopped(stop) }
        return .finished(try await SessionRegistration(runner: self, material: material, staging: staging).register(output))
    }

    // MARK: Before training

    /// The encoders, as they were when the session started.
    private func encoders() async throws -> [String: LoadedEncoder] {
        var loaded: [String: LoadedEncoder] = [:]
        for name in session.encoders {
            // Adapters are trained in fp32, whatever the encoder is set to compute in.
            let precision: Precision? = session.train.what.hasBody ? .fp32 : nil
            let encoder = try await workbench.encoders.encoder(named: name, precision: precision)
            if let digest = record.encoders[name], digest != encoder.record.digest {
                throw WorkbenchError(
                    .conflict,
                    "Session '\(record.name)' was started with another version of encoder '\(name)' (\(digest.prefix(16))…; now "
                        + "\(encoder.record.digest.prefix(16))…). Register the former one under this name, or start another session.",
                    details: ["encoder": name, "was": digest, "is": encoder.record.digest])
            }
            loaded[name] = encoder
        }
        return loaded
    }

    private func tasks(_ loaded: [String: LoadedEncoder]) async throws -> SessionTasks {
        let (record, folder, session) = (record, folder, session)
        return try await Workbench.offPool {
            var rows: [String: SessionRows] = [:]
            for file in record.data { rows[file.path] = try SessionRows(file, folder: folder, session: record.name) }
            var graphs: [String: Data] = [:]
            for (number, file) in session.graphs.enumerated() {
                graphs[file] = try Data(contentsOf: folder.appending(path: SessionFolder.graph(number)))
            }
            return try SessionTasks(session, rows: rows, folder: folder, graphs: graphs, loaded)
        }
    }

    /// What a checkpoint knows are outputs of these labels, in this order.
    private func requireLabels(_ tasks: SessionTasks) async throws {
        var labels: [String: [String]] = [:]
        for task in tasks.tasks {
            labels[task.head.name] = task.plan.encoding.labels
            guard let known = record.labels[task.head.name], known != task.plan.encoding.labels else { continue }
            let now = Set(task.plan.encoding.labels)
            let gone = known.filter { !now.contains($0) }, fresh = task.plan.encoding.labels.filter { !known.contains($0) }
            throw WorkbenchError(
                .conflict,
                "The labels of head '\(task.head.name)' have changed since its checkpoint: "
                    + "\(fresh.isEmpty ? "" : "new are \(fresh.prefix(5).joined(separator: ", "))")\(fresh.isEmpty || gone.isEmpty ? "" : "; ")"
                    + "\(gone.isEmpty ? "" : "gone are \(gone.prefix(5).joined(separator: ", "))"). Start another session.",
                details: ["head": task.head.name])
        }
        let all = labels
        if record.labels != all { try await workbench.registry.updateSession(record.name) { $0.labels = all } }
    }

    /// Features from the cache where it has them: what was extracted before a crash is not extracted again.
    private func material(
        _ tasks: SessionTasks, _ loaded: [String: LoadedEncoder], _ estimate: SessionEstimate
    ) async throws -> SessionMaterial {
        var plans = tasks.tasks.map(\.plan), features = [RowFeatures?](repeating: nil, count: plans.count), body: [SessionBodyRows] = []
        let base = session.train.what.hasBody ? loaded[session.encoders[0]] : nil
        let groups = tasks.groups
        let total = groups.reduce(0) { $0 + ($1.first?.plan.columns[0].count ?? 0) }
        var before = 0, hits = 0
        live.update { ($0.phase, $0.total, $0.unit) = (JobProgress.Phase.extracting.rawValue, total, "rows") }
        for (number, group) in groups.enumerated() {
            guard let first = group.first else { continue }
            let (done, found) = (before, hits)
            let report: @Sendable (Int, Int) -> Void = { [live] rows, cached in
                live.update { $0.count(done + rows, hits: found + cached) }
            }
            if let base {
                body.append(try await bodyRows(first.plan, base, report))
            } else {
                let extracted = try await workbench.extractor.features(
                    first.plan.columns, for: first.plan.sources, priority: .training, progress: report)
                hits += extracted.hits
                for (index, task) in tasks.tasks.enumerated() where task.group == number {
                    let readable = try await Workbench.offPool { try task.plan.leavingOutUnreadable(extracted, loaded) }
                    let aligned = try await readable.plan.alignedToWords(readable.features)
                    (plans[index], features[index]) = (aligned.plan, aligned.features)
                }
            }
            before += first.plan.columns[0].count
        }
        let resume = try record.checkpoint.map { try SessionFolder.verified($0, in: folder, session: record.name) }
        return SessionMaterial(
            tasks: tasks, plans: plans, features: features, body: body, base: base, checkpointing: estimate.checkpointing, resume: resume)
    }

    /// What the trained part of the encoder reads of the training rows: states below its first layer, from the cache, or the texts' tokens.
    private func bodyRows(
        _ plan: TrainingPlan, _ base: LoadedEncoder, _ report: @escaping @Sendable (Int, Int) -> Void
    ) async throws -> SessionBodyRows {
        guard let encoder = base.encoder as? TextEncoder, plan.columns.count == 1 else {
            throw WorkbenchError(
                .unsupported, "What is trained with its heads is an encoder of texts, and each head reads one column. Use `what: heads`.")
        }
        let inputs = plan.trainRows.map { plan.columns[0][$0] }
        if case .top(let layers) = session.train.what, layers < encoder.topTap {
            let features = try await workbench.extractor.states(
                inputs, of: base, tap: encoder.topTap - layers, priority: .training, progress: report)
            return .states(features.states)
        }
        let texts = try await Workbench.offPool {
            try inputs.enumerated().map { row, input -> TokenizedText in
                guard case .tokens(let text) = try encoder.prepare(input).content else {
                    throw WorkbenchError(.invalidData, "Row \(row + 1) is no text.")
                }
                return text
            }
        }
        report(inputs.count, 0)
        return .texts(texts)
    }

    // MARK: Training

    private func train(_ material: SessionMaterial, _ staging: SessionTraining.Staging) async throws -> SessionTraining.Output {
        live.update { ($0.phase, $0.unit, $0.done, $0.total) = (JobProgress.Phase.training.rawValue, "steps", 0, 0) }
        let deadline = session.schedule.deadlineMinutes.map {
            ComputeDeadline(in: max(0, $0 * 60 - (Date().timeIntervalSince1970 - record.created)))
        }
        let workbench = workbench, control = control, live = live, session = session, writer = SessionCheckpointWriter(self)
        // From now on a stop is taken at the next unit, with a checkpoint: not by cancelling.
        control.takeOver()
        let task = Task {
            try await workbench.compute.run(.training, gate: control.gate, deadline: deadline) {
                SessionTraining(
                    material, staging: staging, control: control, losses: workbench.losses, patience: Self.patience,
                    report: { report in
                        live.update { $0.take(report) }
                        if let left = live.current.secondsLeft { deadline?.expect(seconds: left) }
                        if let reason = live.budgetExcess(session.budget) { control.request(.pause(reason)) }
                    }, save: { writer.save($0, $1) })
            }
        }
        let result = await task.result
        await writer.finished()
        return try result.get()
    }

    func saveCheckpoint(_ state: Data, _ step: Int, _ totalSteps: Int) async throws {
        let (seconds, coreSeconds) = live.used
        try await workbench.registry.saveCheckpoint(state, step: step, session: record.name) {
            $0.totalSteps = totalSteps
            ($0.seconds, $0.coreSeconds) = (seconds, coreSeconds)
        }
    }
}

/// Writes checkpoints beside the training, one at a time.
private final class SessionCheckpointWriter: Sendable {
    private let runner: SessionRunner
    private let writing = Mutex<Task<Void, Never>?>(nil)

    init(_ runner: SessionRunner) { self.runner = runner }

    /// False while the one before is being written.
    func save(_ state: Data, _ step: Int) -> Bool {
        writing.withLock { writing in
            guard writing == nil else { return false }
            writing = Task {
                do {
                    try await runner.saveCheckpoint(state, step, runner.live.current.totalSteps)
                } catch {
                    // The former one is still there; the user should know.
                    runner.live.update { $0.note = "A checkpoint could not be written: \(error)" }
                }
                self.writing.withLock { $0 = nil }
            }
            return true
        }
    }

    func finished() async { await writing.withLock { $0 }?.value }
}
