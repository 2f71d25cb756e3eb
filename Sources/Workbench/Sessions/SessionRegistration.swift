import Encoders
import Foundation
import Heads
import Scheduling
import Sessions
import State
import TensorCore
import Training

/// The end of a session: its heads are measured on their test rows and registered, with the encoder they read when that was trained with
/// them, all at once.
struct SessionRegistration: Sendable {
    let runner: SessionRunner
    let material: SessionMaterial
    let staging: SessionTraining.Staging

    private var workbench: Workbench { runner.workbench }
    private var session: SessionPlan { runner.session }
    private var record: SessionRecord { runner.record }

    func register(_ output: SessionTraining.Output) async throws -> SessionRecord {
        let tasks = material.tasks.tasks
        runner.live.update {
            ($0.phase, $0.done, $0.total, $0.unit) = (JobProgress.Phase.evaluating.rawValue, 0, tasks.count, "heads")
        }
        let adapted = try await adaptedEncoder()
        var products = SessionProducts()
        if let adapted, let staged = staging.encoder {
            let record = adapted.record
            try await products.adding { try $0.add(record, staged: staged) }
        }
        for (index, task) in tasks.enumerated() {
            let plan = material.plans[index]
            let sources = plan.sources.map { source in adapted.map { source.reading($0) } ?? source }
            let metrics = try await measure(index, sources)
            let kept = task.head.metrics.isEmpty ? metrics : metrics.filter { task.head.metrics.contains($0.key) }
            let description = try await describe(output.heads[index].description, sources, folder: staging.heads[index])
            try await products.add(
                task, plan: plan, output.heads[index], description, sources, metrics: kept, session: record, staged: staging.heads[index],
                live: runner.live)
            runner.live.update { $0.done = index + 1 }
        }
        runner.live.update { ($0.phase, $0.unit) = (JobProgress.Phase.saving.rawValue, "files") }
        products.step = output.step
        products.replace = session.replace
        (products.seconds, products.coreSeconds) = runner.live.used
        let finished = try await workbench.registry.finishSession(record.name, products)
        if let adapted { workbench.encoders.forget(adapted.record.name) }
        for task in tasks { workbench.heads.forget(task.head.name) }
        return finished
    }

    private func adaptedEncoder() async throws -> LoadedEncoder? {
        guard let base = material.base, let staged = staging.encoder else { return nil }
        return try await workbench.adapted(staged: staged, name: session.name, base: base, source: "session \(record.id)")
    }

    /// Metrics of the test rows, through the files that were written: what is measured is what will answer.
    private func measure(_ index: Int, _ sources: [FeatureSource]) async throws -> [String: Double] {
        let plan = material.plans[index], folder = staging.heads[index]
        guard let truth = plan.test, !plan.testRows.isEmpty else { return [:] }
        let features: RowFeatures, rows: [Int]
        if let whole = material.features[index] {
            (features, rows) = (whole, plan.testRows)
        } else {
            features = try await workbench.extractor.features(
                plan.columns.map { column in plan.testRows.map { column[$0] } }, for: sources, priority: .training, keep: false)
            rows = Array(0..<plan.testRows.count)
        }
        return try await workbench.compute.perform(.training) {
            do {
                return try truth.report(HeadBundle(folder: folder).network, features.table, rows: rows).metrics
            } catch let error as HeadError {
                throw WorkbenchError(error)
            }
        }
    }

    /// A head on a trained body reads the features of the encoder that is registered with it.
    private func describe(
        _ description: HeadBundle.Description, _ sources: [FeatureSource], folder: URL
    ) async throws -> HeadBundle.Description {
        guard material.base != nil else { return description }
        return try await Workbench.offPool {
            let bundle = try HeadBundle(folder: folder)
            let own = HeadBundle.Description(
                name: description.name, kind: description.kind, encoding: bundle.encoding, inputs: sources.map(\.features),
                settings: description.settings, learningRate: description.learningRate)
            return try HeadBundle.write(bundle.network, own, to: folder)
        }
    }
}

extension FeatureSource {
    /// The same, of an encoder that was trained from this one's.
    func reading(_ adapted: LoadedEncoder) -> FeatureSource {
        var input = input
        (input.encoder, input.encoderDigest) = (adapted.record.name, adapted.record.digest)
        return FeatureSource(input: input, loaded: adapted, tap: tap, column: column)
    }
}

extension SessionProducts {
    fileprivate mutating func adding(_ body: @escaping @Sendable (inout SessionProducts) throws -> Void) async throws {
        let before = self
        self = try await Workbench.offPool {
            var products = before
            try body(&products)
            return products
        }
    }

    fileprivate mutating func add(
        _ task: SessionTasks.Task, plan: TrainingPlan, _ output: SessionTraining.Output.Head, _ description: HeadBundle.Description,
        _ sources: [FeatureSource], metrics: [String: Double], session: SessionRecord, staged: URL, live: LiveSession
    ) async throws {
        let name = task.head.name, first = sources[0], now = Date().timeIntervalSince1970
        let run = session.runs[name] ?? Registry.newRunID()
        let head = HeadRecord(
            name: name, encoder: first.input.encoder, encoderDigest: first.input.encoderDigest, task: plan.request.task.rawValue,
            kind: plan.request.kind.name, labels: plan.encoding.labels, parameters: output.parameters, digest: description.weightsDigest,
            created: now, metrics: metrics, run: run, tap: first.input.tap, modality: first.loaded.encoder.modality,
            inputs: description.inputs == nil ? nil : sources.map(\.input))
        try await adding { try $0.add(head, staged: staged) }
        runs.append(
            RunRecord(
                id: run, head: name, encoder: first.input.encoder, state: .finished, started: session.created, ended: now, metrics: metrics,
                seconds: ["total": live.used.seconds, "core": live.used.coreSeconds],
                configuration: try SessionRunConfiguration(task, plan, session, description).text()))
        self.metrics += output.history.flatMap { epoch in
            [
                MetricRecord(run: run, step: epoch.step, name: "loss", value: epoch.loss),
                MetricRecord(run: run, step: epoch.step, name: "validation_score", value: epoch.score),
            ]
        }
        results[name] = SessionRecord.HeadResult(digest: description.weightsDigest, metrics: metrics, bestEpoch: output.bestEpoch)
    }
}

/// What the run record of a session's head keeps, so that it can be repeated and compared.
private struct SessionRunConfiguration: Encodable {
    var session: String, sessionID: String
    var document: String
    var head: SessionPlan.Head
    var settings: TrainingSettings
    var learningRate: Double
    var trainRows: Int, testRows: Int
    /// File → SHA-256 of the rows.
    var data: [String: String]
    var encoders: [String: String]
    var versions: [String: String]

    init(_ task: SessionTasks.Task, _ plan: TrainingPlan, _ session: SessionRecord, _ description: HeadBundle.Description) {
        (self.session, sessionID, document) = (session.name, session.id, session.document)
        (head, settings, learningRate) = (task.head, plan.request.settings, description.learningRate)
        (trainRows, testRows) = (plan.trainRows.count, plan.testRows.count)
        data = Dictionary(session.data.map { ($0.path, $0.copyDigest) }, uniquingKeysWith: { first, _ in first })
        (encoders, versions) = (session.encoders, session.versions)
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
