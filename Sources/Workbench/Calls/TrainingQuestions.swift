import Heads
import State
import Synchronization
import TensorCore
import Training

/// Asks a client for the loss of each step, or for the score of each epoch, while a head is trained. Lives on the compute thread; only
/// the answer comes from elsewhere.
final class TrainingQuestions {
    private let calls: TrainingCalls
    private let gate: ComputeGate
    private let head: String, encoding: LabelEncoding
    private let answer = AnswerBox()
    /// What has been asked, until its answer is taken.
    private var asked: CallQuestion?
    private var told: Set<CallKind> = []

    /// nil when nothing is asked during training.
    init?(_ calls: TrainingCalls, _ plan: TrainingPlan, _ gate: ComputeGate) {
        guard calls.kinds.contains(.loss) || calls.kinds.contains(.metrics) else { return nil }
        self.calls = calls
        self.gate = gate
        head = plan.request.head
        encoding = plan.encoding
    }

    var asksForLoss: Bool { calls.kinds.contains(.loss) }
    var asksForMetrics: Bool { calls.kinds.contains(.metrics) }

    /// Goes as far as it can. Returns false when the client has been asked and the task is to wait for the gate.
    ///
    /// - Throws: `TrainingError` as the trainer does; what the client says is wrong.
    func advance(_ trainer: Trainer) throws -> Bool {
        if let question = asked {
            guard let result = answer.take() else { return false }
            asked = nil
            let answer = try result.get()
            try answer.require(fits: question)
            if question.kind == .loss {
                try trainer.endStep(
                    loss: Float(answer.loss), gradients: Tensor(answer.gradients, [question.rows, question.width]))
            } else {
                try trainer.finishEpoch(score: answer.metrics.first?.value)
            }
        }
        if trainer.isAtEpochEnd {
            guard asksForMetrics, let (outputs, targets) = try trainer.validationOutputs() else {
                try trainer.finishEpoch()
                return true
            }
            ask(.metrics, outputs, targets, step: trainer.step / trainer.stepsPerEpoch)
            return false
        }
        guard !trainer.isFinished else { return true }
        guard asksForLoss else {
            try trainer.advanceWithoutValidation()
            return true
        }
        let (outputs, targets) = try trainer.beginStep()
        ask(.loss, outputs, targets, step: trainer.step)
        return false
    }

    private func ask(_ kind: CallKind, _ outputs: Tensor, _ targets: Targets, step: Int) {
        var question = CallQuestion(kind, head: head, task: encoding.task)
        question.step = step
        question.outputs = outputs.contiguous().values
        (question.rows, question.width) = (outputs.shape[0], outputs.shape[1])
        question.targets = targets
        if case .tags(let tags) = targets { question.lengths = tags.map(\.count) }
        if told.insert(kind).inserted { question.labels = encoding.labels }
        asked = question
        gate.close()
        calls.callee.call(question) { [answer, gate] result in
            answer.set(result)
            gate.open()
        }
    }
}

/// Where an answer waits for the compute thread.
private final class AnswerBox: Sendable {
    private let result = Mutex<Result<CallAnswer, any Error>?>(nil)

    func set(_ result: Result<CallAnswer, any Error>) { self.result.withLock { $0 = result } }

    func take() -> Result<CallAnswer, any Error>? {
        result.withLock { result in
            defer { result = nil }
            return result
        }
    }
}

extension Workbench {
    /// The request with its rows as the client wants the head to read them.
    func preprocessed(
        _ request: TrainingRequest, _ calls: TrainingCalls?, _ progress: @escaping ProgressHandler
    ) async throws -> TrainingRequest {
        guard let callee = calls?.callee(for: .preprocess) else { return request }
        var request = request
        let names = request.reads.reduce(into: [String]()) { if !$0.contains($1.columnName) { $0.append($1.columnName) } }
        let total = request.rows.count + (request.test?.count ?? 0), head = request.head, task = request.task
        let before = request.rows.count
        request.rows.columns = try await callee.preprocess(request.rows.columns, names: names, head: head, task: task) {
            progress(JobProgress(.extracting, done: 0, total: total, note: $0 == before ? "The client has prepared \($0) rows." : ""))
        }
        if let test = request.test {
            request.test?.columns = try await callee.preprocess(test.columns, names: names, head: head, task: task)
        }
        if let unlabelled = request.selfTraining {
            request.selfTraining?.columns = try await callee.preprocess(unlabelled.columns, names: names, head: head, task: task)
        }
        return request
    }

    /// Metrics of the test rows: ours, and the client's.
    func testMetrics(
        _ result: HeadTraining.Output, _ plan: TrainingPlan, _ calls: TrainingCalls?
    ) async throws -> [String: Double] {
        var metrics = result.report?.metrics ?? [:]
        guard let callee = calls?.callee(for: .metrics), let outputs = result.testOutputs else { return metrics }
        let cells = plan.request.test?.labels ?? plan.testRows.map { plan.request.rows.labels[$0] }
        let targets: Targets, rows: [Int]
        do { (targets, rows, _) = try plan.encoding.encode(cells) } catch let error as HeadError { throw WorkbenchError(error) }
        var question = CallQuestion(.metrics, head: plan.request.head, task: plan.encoding.task)
        question.labels = plan.encoding.labels
        // Rows whose label was never trained have no target.
        question.outputs = outputs.values(of: rows)
        question.width = outputs.width
        question.rows = question.outputs.count / max(outputs.width, 1)
        question.targets = targets
        if case .tags(let tags) = targets, let lengths = outputs.lengths {
            question.lengths = rows.map { lengths[$0] }
            question.targets = .tags(zip(rows, tags).map { Array($1.prefix(lengths[$0])) })
        }
        for (name, value) in try await callee.ask(question).metrics { metrics[name] = value }
        return metrics
    }
}

extension HeadRecord {
    /// Notes what a client does for the head from now on.
    mutating func serve(_ calls: TrainingCalls?) {
        let lasting = (calls?.kinds ?? []).intersection([.preprocess, .postprocess]).sorted { $0.rawValue < $1.rawValue }
        guard !lasting.isEmpty else { return }
        self.calls = lasting
        servedBy = calls?.client
    }
}
