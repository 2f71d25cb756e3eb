import Encoders
import Graphs
import Heads
import HidraProtocol
import State
import Synchronization
import Training
import Workbench

extension WorkRequests {
    func train(_ training: TrainingRequest, _ calls: TrainingCalls?, _ job: JobHandle) async throws -> Answer {
        let events = events
        let begun = Mutex<RunRecord?>(nil)
        do {
            let outcome = try await workbench.train(training, calls: calls) { run in
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

    /// - Parameter named: whether a head is to come of it.
    func trainingRequest(
        _ request: Hidra_V1_TrainRequest, _ client: ClientIdentity, named: Bool = true
    ) throws -> TrainingRequest {
        guard !request.head.isEmpty || !named else { throw Failure(.invalidArgument, "The head needs a name.") }
        guard !request.encoder.isEmpty || (!request.inputs.isEmpty && request.inputs.allSatisfy { !$0.encoder.isEmpty })
        else {
            throw Failure(.invalidArgument, "Name the encoder the head is to sit on.")
        }
        let (inputs, columns) = try InputRequest.all(
            request.inputs, encoder: request.encoder, tap: request.tap, column: request.inputColumn)
        let task = try HeadTask(request.task)
        func rows(_ data: String) throws -> LabelledRows {
            try labelled(data, columns, request.labelColumn, request.nameColumn, client)
        }
        var training = TrainingRequest(
            head: request.head, encoder: request.encoder, task: task,
            kind: try kind(request.kind, task),
            graph: request.kind.name == "graph" ? request.kind.graph : nil,
            settings: settings(request.hyperparameters), rows: try rows(request.data),
            test: request.testData.isEmpty ? nil : try rows(request.testData), holdout: request.holdout,
            separator: try separator(request.labelSeparator, default: "|") ?? "|", tap: request.tap,
            inputs: inputs, replace: request.replace, precision: try Precision(wire: request.precision))
        if request.hasSearch { training.search = request.search.requested }
        if request.hasSelfTraining {
            let table = try data.table(request.selfTraining.data, client: client)
            training.selfTraining = request.selfTraining.requested(
                try columns.map { try self.inputs(of: table, $0, names: request.nameColumn) })
        }
        if request.hasContrastive {
            training.contrastive = request.contrastive.requested(head: request.head)
            // Where a label has a handful of rows none is to spare, unless the request says so.
            if !request.hyperparameters.hasValidation { training.settings.validation = 0 }
        }
        return training
    }

    func labelled(
        _ dataName: String, _ inputs: [String], _ label: String, _ name: String, _ client: ClientIdentity
    ) throws -> LabelledRows {
        let table = try data.table(dataName, client: client)
        return LabelledRows(
            columns: try inputs.map { try self.inputs(of: table, $0, names: name) }, labels: try table.texts(label))
    }

    /// The inputs in a column.
    ///
    /// - Parameter names: column with their names for messages; empty: their row numbers.
    func inputs(of table: DataTable, _ column: String, names: String = "") throws -> [EncoderInput] {
        switch try table.column(column) {
        case .texts(let texts): return texts.map { .text($0) }
        case .blobs(let blobs):
            let names = names.isEmpty ? nil : try table.texts(names)
            return blobs.enumerated().map { row, blob in
                .image(ImageFile(name: names?[row] ?? "row \(row + 1)", digest: blob.digest) { try blob.read() })
            }
        }
    }

    func separator(_ text: String, default fallback: Character?) throws -> Character? {
        guard text.count <= 1 else {
            throw Failure(
                .invalidArgument, "The label separator \"\(text)\" has \(text.count) characters; it must be one.")
        }
        return text.first ?? fallback
    }

    func kind(_ kind: Hidra_V1_HeadKind, _ task: HeadTask) throws -> HeadKind {
        switch kind.name {
        case "" where task == .tag, "tagger":
            return .tagger(hidden: Int(kind.hidden), dropout: kind.hasDropout ? kind.dropout : HeadKind.defaultDropout)
        case "", "linear": return .linear
        case "mlp":
            return .mlp(
                hidden: kind.hidden == 0 ? HeadKind.defaultHidden : Int(kind.hidden),
                dropout: kind.hasDropout ? kind.dropout : HeadKind.defaultDropout)
        case "graph": return .graph
        case let name where Fusion(rawValue: name) != nil:
            return .fusion(
                Fusion(rawValue: name) ?? .concat, hidden: kind.hidden == 0 ? Fusion.defaultHidden : Int(kind.hidden),
                dropout: kind.hasDropout ? kind.dropout : Fusion.defaultDropout)
        default:
            throw Failure(
                .invalidArgument,
                "There is no head kind '\(kind.name)'; there are linear, mlp, graph, tagger, concat, gate and cross-attention.")
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

extension InputRequest {
    /// What a head's inputs read, none for the simple case of one vector from one encoder, and the columns they name, each once.
    ///
    /// - Parameters: what is meant where an input does not say.
    /// - Throws: `invalidArgument` for an input without a column, `unsupported` for an unknown form.
    static func all(
        _ inputs: [Hidra_V1_HeadInput], encoder: String, tap: String, column fallback: String
    ) throws -> (inputs: [InputRequest], columns: [String]) {
        guard !inputs.isEmpty else { return ([], [fallback]) }
        var columns: [String] = []
        let requests = try inputs.map { input -> InputRequest in
            let name = input.column.isEmpty ? fallback : input.column
            guard !name.isEmpty else {
                throw Failure(.invalidArgument, "Name the column that input '\(input.name)' of the head is to read.")
            }
            if !columns.contains(name) { columns.append(name) }
            return InputRequest(
                name: input.name, encoder: input.encoder.isEmpty ? encoder : input.encoder,
                tap: input.tap.isEmpty && input.encoder.isEmpty ? tap : input.tap, form: try FeatureForm(input.form),
                column: columns.firstIndex(of: name) ?? 0, columnName: name)
        }
        return (requests, columns)
    }
}

extension FeatureForm {
    /// nil for what the request leaves open.
    fileprivate init?(_ form: Hidra_V1_FeatureForm) throws {
        switch form {
        case .unspecified: return nil
        case .pooled: self = .pooled
        case .states: self = .states
        case .UNRECOGNIZED(let number):
            throw Failure(.unsupported, "Form \(number) of features is not known to this daemon; it knows POOLED and STATES.")
        }
    }
}
