import Encoders
import Foundation
import Heads
import Scheduling
package import State
import Synchronization
import Training

extension Workbench {
    /// Trains a head and registers it. Everything before the last step leaves earlier heads as they were.
    ///
    /// - Throws: `WorkbenchError`; `CancellationError` when the calling task is cancelled. The run is recorded either way.
    package func train(
        _ request: TrainingRequest, calls: TrainingCalls? = nil, started: @Sendable (RunRecord) -> Void = { _ in },
        progress: @escaping ProgressHandler = { _ in }
    ) async throws -> TrainingOutcome {
        let meter = Meter(for: .current)
        return try await Meter.$current.withValue(meter) {
            try await train(request, meter, calls, started, progress)
        }
    }

    private func train(
        _ request: TrainingRequest, _ meter: Meter, _ calls: TrainingCalls?, _ started: @Sendable (RunRecord) -> Void,
        _ progress: @escaping ProgressHandler
    ) async throws -> TrainingOutcome {
        let begin = ContinuousClock.now
        try await registry.requireHeadName(request.head, replacing: request.replace)
        try request.requireOwnLoss(calls)
        let isFree = training.withLock { training in
            guard training[request.head] == nil else { return false }
            training[request.head] = Set(request.reads.map(\.encoder))
            return true
        }
        guard isFree else {
            throw WorkbenchError(
                .conflict,
                "Head '\(request.head)' is being trained by another run. Wait for it, or choose another name.")
        }
        defer { training.withLock { $0[request.head] = nil } }
        let prepared = try await preprocessed(request, calls, progress)
        let request = try await tuned(prepared, progress: progress)
        progress(JobProgress(.loading, unit: "encoders"))
        var loading: [String: LoadedEncoder] = [:]
        for read in request.reads where loading[read.encoder] == nil {
            loading[read.encoder] = try await encoders.encoder(named: read.encoder, precision: request.precision)
        }
        let loaded = loading
        let plan = try await Workbench.offPool { try TrainingPlan(request, loaded) }
        for note in plan.notes { progress(JobProgress(.extracting, note: note)) }
        let run = try await registry.beginRun(
            head: request.head, encoder: request.reads[0].encoder, configuration: try plan.configuration(),
            provenance: plan.provenance(circumstances, plugin: calls?.client))
        started(run)
        do {
            return try await train(plan, loaded, run, begin, calls, progress)
        } catch {
            try await record(error, of: run, coreSeconds: meter.used.coreSeconds)
            throw error
        }
    }

    private func train(
        _ plan: TrainingPlan, _ loaded: [String: LoadedEncoder], _ run: RunRecord, _ begin: ContinuousClock.Instant,
        _ calls: TrainingCalls?, _ progress: @escaping ProgressHandler
    ) async throws -> TrainingOutcome {
        // Rows are counted once for each source of features.
        let total = plan.columns[0].count * Set(plan.sources.map(\.identity)).count, extractionStart = ContinuousClock.now
        let extracted = try await extractor.features(plan.columns, for: plan.sources, priority: .training) { done, hits in
            progress(JobProgress(.extracting, done: done, total: total, metrics: ["cache_hits": Double(hits)]))
        }
        let extractSeconds = (ContinuousClock.now - extractionStart) / .seconds(1)
        let problems = InputProblems(extracted, plan.columns)
        let readable = try await Workbench.offPool { try plan.leavingOutUnreadable(extracted, loaded) }
        let (aligned, features) = try await readable.plan.alignedToWords(readable.features)
        let (plan, choices) = try await chosen(aligned, features, calls, progress)
        if !choices.isEmpty { try await registry.describeRun(run.id, configuration: plan.configuration(choices)) }
        var summary = TrainingSummary()
        summary.notes = plan.notes
        for note in problems.notes {
            summary.notes.append(note)
            progress(JobProgress(.extracting, done: total, total: total, note: note))
        }
        if let note = plan.sources.truncationNote(features) {
            summary.notes.append(note)
            progress(JobProgress(.extracting, done: total, total: total, note: note))
        }
        let staging = try registry.directory.stage(), rescue = registry.directory.folder(.runs, run.id)
        do {
            let gate = ComputeGate()
            let result = try await compute.run(.training, gate: gate) {
                try HeadTraining(
                    plan: plan, features: features, staging: staging, rescue: rescue,
                    questions: calls.flatMap { TrainingQuestions($0, plan, gate) }, progress: progress)
            }
            progress(JobProgress(.saving, unit: "files"))
            try await registry.addMetrics(result.history.flatMap { $0.records(of: run.id) })
            summary.add(result, features, testRows: plan.testRows.count)
            summary.extractSeconds = extractSeconds
            let truncated = features.truncated
            summary.truncatedTestRows = plan.testRows.count { truncated[$0] }
            let metrics = try await testMetrics(result, plan, calls)
            var record = plan.record(result, metrics: metrics, run: run.id)
            record.serve(calls)
            let head =
                plan.request.replace
                ? try await registry.replaceHead(record, staged: staging)
                : try await registry.addHead(record, staged: staging)
            heads.forget(head.name)
            // The head is there: what is kept beside it must not undo it.
            if let note = await keep(result.testRows, of: run) { summary.notes.append(note) }
            summary.totalSeconds = (ContinuousClock.now - begin) / .seconds(1)
            let finished = try await registry.finishRun(
                run.id, state: .finished, metrics: metrics, seconds: summary.phases, coreSeconds: Meter.current?.used.coreSeconds)
            return TrainingOutcome(
                head: head, run: finished, test: result.report, summary: summary, choices: choices,
                calibration: result.description.calibration)
        } catch {
            // The staging folder is swept at the next start in any case; a failure here must not hide the real one.
            if FileManager.default.fileExists(atPath: staging.path) {
                do { try FileManager.default.removeItem(at: staging) } catch let cleanup {
                    progress(
                        JobProgress(
                            .saving, note: "\(staging.path) could not be removed: \(cleanup.localizedDescription)"))
                }
            }
            throw error
        }
    }

    private func record(_ error: any Error, of run: RunRecord, coreSeconds: Double) async throws {
        let (state, message): (RunRecord.State, String) =
            switch error {
            case is CancellationError where isStopping:
                (.interrupted, "The daemon was stopped. Train again to go on: features that were extracted are kept.")
            case is CancellationError: (.cancelled, "Cancelled.")
            case let error as WorkbenchError where error.code == .interrupted: (.interrupted, error.message)
            case let error as WorkbenchError: (.failed, error.message)
            default: (.failed, String(describing: error))
            }
        // The registry's writes take no notice of the task being cancelled.
        try await registry.finishRun(run.id, state: state, message: message, coreSeconds: coreSeconds)
    }
}

extension TrainingPlan {
    fileprivate func record(
        _ result: HeadTraining.Output, metrics: [String: Double], run: String
    ) -> HeadRecord {
        let first = sources[0]
        return HeadRecord(
            name: request.head, encoder: first.input.encoder, encoderDigest: first.input.encoderDigest,
            task: request.task.rawValue,
            kind: request.kind.name, labels: encoding.labels, parameters: result.parameters,
            digest: result.description.weightsDigest, created: Date().timeIntervalSince1970, metrics: metrics, run: run,
            tap: first.input.tap, modality: first.loaded.encoder.modality,
            inputs: result.description.inputs == nil ? nil : sources.map(\.input))
    }

    /// What a run record keeps so that the run can be repeated and compared: settings, data digest, encoder digest.
    fileprivate func configuration(_ choices: TrainingChoices = TrainingChoices()) throws -> String {
        struct Configuration: Encodable {
            var task: HeadTask, kind: HeadKind, settings: TrainingSettings
            /// Of a head that reads token states, or several inputs.
            var inputs: [HeadInput]?
            var tap: String, holdout: Double, trainRows: Int, testRows: Int
            var dataDigest: String, encoderDigest: String
            /// What settings were chosen from, and which rows.
            var trials: [TrainingChoices.Trial]?
            var selfTraining: [SelfTrainingRound]?
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = try encoder.encode(
            Configuration(
                task: request.task, kind: request.kind, settings: request.settings,
                inputs: sources.count == 1 && sources[0].input.form == .pooled ? nil : sources.map(\.input),
                tap: sources[0].input.tap,
                holdout: request.holdout,
                trainRows: trainRows.count, testRows: testRows.count,
                dataDigest: dataDigest, encoderDigest: sources[0].input.encoderDigest,
                trials: choices.trials.isEmpty ? nil : choices.records, selfTraining: choices.rounds.isEmpty ? nil : choices.rounds))
        return String(decoding: json, as: UTF8.self)
    }
}

extension Trainer.Epoch {
    fileprivate func records(of run: String) -> [MetricRecord] {
        [
            MetricRecord(run: run, step: step, name: "loss", value: loss),
            MetricRecord(run: run, step: step, name: "validation_score", value: score),
        ]
    }
}

extension TrainingSummary {
    fileprivate mutating func add(_ result: HeadTraining.Output, _ features: RowFeatures, testRows: Int) {
        trainRows = result.trainRows
        validationRows = result.validationRows
        self.testRows = testRows
        cacheHits = features.hits
        cacheMisses = features.misses
        truncatedRows = features.truncatedRows
        steps = result.steps
        trainSeconds = result.trainSeconds
        stepsPerSecond = result.trainSeconds > 0 ? Double(result.steps) / result.trainSeconds : 0
        evaluateSeconds = result.evaluateSeconds
        learningRate = result.learningRate
        bestEpoch = result.bestEpoch
        validationScore = result.validationScore
    }

    /// Phase → seconds, for the run's record.
    fileprivate var phases: [String: Double] {
        [
            "extracting features": extractSeconds, "training": trainSeconds, "evaluating": evaluateSeconds,
            "total": totalSeconds,
        ]
    }
}
