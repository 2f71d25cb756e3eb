import Encoders
import Heads
import HidraProtocol
import State
import Synchronization
import Training
import Workbench

extension WorkRequests {
    func train(_ training: TrainingRequest, _ job: JobHandle) async throws -> Answer {
        let events = events
        let begun = Mutex<RunRecord?>(nil)
        do {
            let outcome = try await workbench.train(training) { run in
                begun.withLock { $0 = run }
                events.record("run.started", run.id, ["head": run.head, "encoder": run.encoder])
            } progress: { progress in
                job.report(progress)
            }
            events.record("run.finished", outcome.run.id, outcome.run.metrics.mapValues { String($0) })
            events.record("head.registered", outcome.head.name, ["run": outcome.run.id, "digest": outcome.head.digest])
            return Answer(.trainReply(Hidra_V1_TrainReply(outcome, task: training.task)))
        } catch {
            // A request that was refused never became a run.
            guard let run = begun.withLock({ $0 }) else { throw error }
            let failure = jobs.isStopping && error is CancellationError ? .stopped : Failure(error)
            let name = [.cancelled: "run.cancelled", .interrupted: "run.interrupted"][failure.code] ?? "run.failed"
            events.record(name, run.id, ["head": run.head, "code": failure.code.rawValue, "message": failure.message])
            throw error
        }
    }

    func evaluate(_ request: Hidra_V1_EvaluateRequest, _ rows: LabelledRows, _ job: JobHandle) async throws -> Answer {
        let start = ContinuousClock.now
        let evaluation = try await workbench.evaluate(
            head: request.head, rows: rows, separator: try separator(request.labelSeparator, default: nil),
            precision: try Precision(wire: request.precision)
        ) { job.report($0) }
        return Answer(
            .evaluateReply(
                Hidra_V1_EvaluateReply(
                    head: request.head, task: evaluation.task, report: evaluation.report,
                    truncated: evaluation.truncatedRows,
                    notes: evaluation.notes, seconds: (ContinuousClock.now - start) / .seconds(1))))
    }

    func trainingRequest(_ request: Hidra_V1_TrainRequest, _ client: ClientIdentity) throws -> TrainingRequest {
        guard !request.head.isEmpty else { throw Failure(.invalidArgument, "The head needs a name.") }
        guard !request.encoder.isEmpty else {
            throw Failure(.invalidArgument, "Name the encoder the head is to sit on.")
        }
        func rows(_ data: String) throws -> LabelledRows {
            try labelled(data, request.inputColumn, request.labelColumn, request.nameColumn, client)
        }
        return TrainingRequest(
            head: request.head, encoder: request.encoder, task: try HeadTask(request.task),
            kind: try kind(request.kind),
            graph: request.kind.name == "graph" ? request.kind.graph : nil,
            settings: settings(request.hyperparameters), rows: try rows(request.data),
            test: request.testData.isEmpty ? nil : try rows(request.testData), holdout: request.holdout,
            separator: try separator(request.labelSeparator, default: "|") ?? "|", tap: request.tap,
            replace: request.replace, precision: try Precision(wire: request.precision))
    }

    func labelled(
        _ dataName: String, _ input: String, _ label: String, _ name: String, _ client: ClientIdentity
    ) throws -> LabelledRows {
        let table = try data.table(dataName, client: client)
        let labels = try table.texts(label)
        switch try table.column(input) {
        case .texts(let texts): return LabelledRows(texts: texts, labels: labels)
        case .blobs(let blobs):
            let names = name.isEmpty ? nil : try table.texts(name)
            let inputs = blobs.enumerated().map { row, blob -> EncoderInput in
                .image(ImageFile(name: names?[row] ?? "row \(row + 1)", digest: blob.digest) { try blob.read() })
            }
            return LabelledRows(inputs: inputs, labels: labels)
        }
    }

    private func separator(_ text: String, default fallback: Character?) throws -> Character? {
        guard text.count <= 1 else {
            throw Failure(
                .invalidArgument, "The label separator \"\(text)\" has \(text.count) characters; it must be one.")
        }
        return text.first ?? fallback
    }

    private func kind(_ kind: Hidra_V1_HeadKind) throws -> HeadKind {
        switch kind.name {
        case "", "linear": return .linear
        case "mlp":
            return .mlp(
                hidden: kind.hidden == 0 ? HeadKind.defaultHidden : Int(kind.hidden),
                dropout: kind.hasDropout ? kind.dropout : HeadKind.defaultDropout)
        case "graph": return .graph
        default:
            throw Failure(.invalidArgument, "There is no head kind '\(kind.name)'; there are linear, mlp and graph.")
        }
    }

    /// Zero means the default, as `work.proto` says.
    private func settings(_ message: Hidra_V1_Hyperparameters) -> TrainingSettings {
        var settings = TrainingSettings()
        if message.epochs > 0 { settings.epochs = Int(message.epochs) }
        if message.learningRate != 0 { settings.learningRate = message.learningRate }
        if message.batchSize > 0 { settings.batchSize = Int(message.batchSize) }
        if message.hasSeed { settings.seed = message.seed }
        if message.hasWeightDecay { settings.weightDecay = message.weightDecay }
        if message.hasWarmup { settings.warmup = message.warmup }
        if message.patience > 0 { settings.patience = Int(message.patience) }
        if message.hasValidation { settings.validation = message.validation }
        settings.classWeights = message.classWeights
        if message.hasLabelSmoothing { settings.labelSmoothing = message.labelSmoothing }
        return settings
    }
}
