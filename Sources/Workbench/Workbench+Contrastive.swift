import Encoders
import FewLabels
import Foundation
import Heads
import Scheduling
import State
import TensorCore
import Training
import Tuning

extension Workbench {
    /// The request for a head on an encoder that was tuned for it, on pairs of its training rows; the tuned encoder is registered under
    /// the name that the request gives it. A request without pairs stays as it is.
    ///
    /// Rows held out for testing, and those that validate, are in no pair.
    func tuned(_ request: TrainingRequest, progress: @escaping ProgressHandler) async throws -> TrainingRequest {
        guard let contrastive = request.contrastive else { return request }
        var plain = request
        plain.contrastive = nil
        try request.validate()
        try BundleName.validate(contrastive.encoder)
        if try await registry.encoders().contains(where: { $0.name == contrastive.encoder }) {
            throw WorkbenchError(
                .alreadyExists,
                "There is already an encoder '\(contrastive.encoder)'. Give the tuned one another name, or remove that one first.",
                details: ["name": contrastive.encoder])
        }
        let loaded = try await encoders.encoder(named: request.encoder, precision: .fp32), asked = plain
        let plan = try await Workbench.offPool { try TrainingPlan(asked, [asked.encoder: loaded]) }
        guard let encoder = loaded.encoder as? TextEncoder, loaded.record.base == nil else {
            throw WorkbenchError(
                .unsupported, "Encoder '\(request.encoder)' cannot be tuned: only text encoders can, and not one that was tuned before. Name its base.")
        }
        let layers = contrastive.layers ?? max(1, encoder.encoder.layers / 2)
        guard layers < encoder.encoder.layers else {
            throw WorkbenchError(
                .invalidArgument, "\(layers) layers cannot be tuned: encoder '\(request.encoder)' has \(encoder.encoder.layers), and one must stay below.")
        }
        let (rows, classes) = try plan.pairedRows()
        let inputs = rows.map { plan.columns[0][$0] }
        let states = try await extractor.states(
            inputs, of: loaded, tap: encoder.encoder.layers - layers, priority: .training
        ) { done, hits in
            progress(JobProgress(.extracting, done: done, total: inputs.count, metrics: ["cache_hits": Double(hits)]))
        }
        var settings = ContrastiveTuning.Settings()
        settings.iterations = contrastive.iterations * contrastive.epochs
        settings.batchSize = contrastive.batchSize
        settings.learningRate = contrastive.learningRate
        settings.seed = request.settings.seed
        let staging = try registry.directory.stage(), final = settings
        do {
            try await compute.run(.training) {
                try TuningTask(
                    encoder: encoder, record: loaded.record, states: states.states, layers: layers, classes: classes, settings: final,
                    staging: staging, progress: progress)
            }
            _ = try await registerAdapted(
                staged: staging, name: contrastive.encoder, base: loaded, source: "pairs of the rows of head \(request.head)")
        } catch {
            // Swept at the next start in any case.
            if FileManager.default.fileExists(atPath: staging.path) { try FileManager.default.removeItem(at: staging) }
            throw error
        }
        plain.encoder = contrastive.encoder
        return plain
    }
}

extension TrainingPlan {
    /// Rows that pairs are made of, and their classes: those to learn from.
    ///
    /// - Throws: `invalidData` when they are of one class only.
    fileprivate func pairedRows() throws -> (rows: [Int], classes: [Int32]) {
        let split = Split(trainTargets, share: request.settings.validation, seed: request.settings.seed, purpose: "validation")
        guard case .classes(let all) = trainTargets.selecting(split.kept), Set(all).count > 1 else {
            throw WorkbenchError(.invalidData, "Pairs need rows of at least two labels.")
        }
        return (split.kept.map { trainRows[$0] }, all)
    }
}

/// The compute task that tunes the layers, a step at a time, and leaves the adapted encoder's folder.
private struct TuningTask: ComputeTask {
    private let body: TextBody
    private let tuning: ContrastiveTuning
    private let record: EncoderRecord
    private let staging: URL
    private let progress: ProgressHandler

    init(
        encoder: TextEncoder, record: EncoderRecord, states: TokenStates, layers: Int, classes: [Int32],
        settings: ContrastiveTuning.Settings, staging: URL, progress: @escaping ProgressHandler
    ) throws {
        do {
            body = try TextBody(
                encoder, tuning: FineTuning(depth: .top(layers)), seed: settings.seed, inputs: [.states(states)])
        } catch {
            throw WorkbenchError(.unsupported, "Encoder '\(record.name)' cannot be tuned: \(error)", cause: error)
        }
        tuning = ContrastiveTuning(body, classes: classes, settings: settings)
        self.record = record
        self.staging = staging
        self.progress = progress
    }

    func step() throws -> Void? {
        let loss: Float
        do { loss = try tuning.advance() } catch let error as TrainingError { throw WorkbenchError(.invalidArgument, error.message, cause: error) }
        progress(
            JobProgress(.tuning, done: tuning.step, total: tuning.totalSteps, unit: "steps", metrics: ["loss": Double(loss)]))
        guard tuning.isFinished else { return nil }
        try body.write(base: record.name, digest: record.digest, source: record.source, to: staging)
        return ()
    }
}
