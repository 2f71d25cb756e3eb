import Checkpoints
import Encoders
import Foundation
import Heads
import State
import TensorCore
import Training

/// The compute task that trains one head and tests it: range test, steps in slices of some milliseconds, test rows, files.
struct HeadTraining: ComputeTask {
    struct Output: Sendable {
        var description: HeadBundle.Description
        var parameters = 0
        var history: [Trainer.Epoch] = []
        var report: Report?
        var trainRows = 0, validationRows = 0
        var steps = 0, bestEpoch = 0
        var learningRate = 0.0, validationScore = 0.0
        var trainSeconds = 0.0, evaluateSeconds = 0.0
        /// Of the test rows, for a client that measures them.
        var testOutputs: TestOutputs?
        var testRows: TestRows?
    }

    /// Longest slice of training between two looks at the queue.
    static let slice = Duration.milliseconds(8)

    private let plan: TrainingPlan
    private let features: RowFeatures
    private let staging: URL
    /// Where the last good weights go when training breaks.
    private let rescue: URL
    private let progress: ProgressHandler
    /// What a client does in our place, and how it is asked.
    private let questions: TrainingQuestions?
    private let started = ContinuousClock.now
    private var network: HeadNetwork
    private var trainer: Trainer?
    private let table: FeatureTable
    /// Time spent computing, without the time others had the thread.
    private var busy = Duration.zero

    /// - Throws: `invalidArgument` for a graph that does not fit the features or the labels.
    init(
        plan: TrainingPlan, features: RowFeatures, staging: URL, rescue: URL, questions: TrainingQuestions? = nil,
        progress: @escaping ProgressHandler
    ) throws {
        self.plan = plan
        self.questions = questions
        self.features = features
        self.staging = staging
        self.rescue = rescue
        self.progress = progress
        table = features.table
        network = try plan.network()
    }

    mutating func step() throws -> Output? {
        let start = ContinuousClock.now
        guard let trainer else {
            try prepare()
            busy += ContinuousClock.now - start
            return nil
        }
        do {
            while !trainer.isFinished, ContinuousClock.now - start < Self.slice {
                guard let questions else {
                    try trainer.advance()
                    continue
                }
                // False: a client has been asked, and the task waits for it.
                guard try questions.advance(trainer) else { break }
            }
        } catch let error as TrainingError {
            throw rescued(trainer, error)
        }
        busy += ContinuousClock.now - start
        report(trainer)
        return trainer.isFinished ? try finish(trainer) : nil
    }

    private mutating func prepare() throws {
        let rows = table.selecting(plan.trainRows)
        let objective = plan.objective
        let rate =
            try plan.request.settings.learningRate ?? plan.encoding.task.fixedRate
            ?? (RangeTest.learningRate(
                plan.network(), features: rows, targets: plan.trainTargets,
                objective: objective,
                settings: plan.request.settings))
        trainer = Trainer(
            network, features: rows, targets: plan.trainTargets, objective: objective, settings: plan.request.settings,
            learningRate: rate, split: plan.validationSplit, hasExternalLoss: questions?.asksForLoss ?? false)
    }

    private func report(_ trainer: Trainer) {
        var metrics = ["epoch": Double(trainer.epoch), "learning_rate": trainer.learningRate]
        if let last = trainer.history.last {
            metrics["loss"] = last.loss
            metrics["validation_score"] = last.score
        }
        progress(JobProgress(.training, done: trainer.step, total: trainer.totalSteps, unit: "steps", metrics: metrics))
    }

    private func description(_ trainer: Trainer, _ calibration: Calibration? = nil) -> HeadBundle.Description {
        var description = HeadBundle.Description(
            name: plan.request.head, kind: plan.request.kind, encoding: plan.encoding,
            inputs: plan.sources.map(\.features), settings: plan.request.settings, learningRate: trainer.learningRate)
        description.calibration = calibration
        return description
    }

    /// Of the weights that stay, on the rows that chose them.
    private func calibration(_ trainer: Trainer) throws -> Calibration? {
        guard plan.encoding.task == .classify || plan.encoding.task == .multilabel,
            let (outputs, targets) = try trainer.validationOutputs()
        else { return nil }
        return Calibration(fitting: outputs, targets)
    }

    /// Writes the last good weights, which training left in the network, to the run's folder, and says where they are.
    private func rescued(_ trainer: Trainer, _ error: TrainingError) -> WorkbenchError {
        var result = WorkbenchError(.invalidArgument, error.message, cause: error)
        result.details["step"] = error.step.map(String.init)
        result.details["tensor"] = error.tensor
        // The trainer counts the rows it was given; some of the table's may be held out.
        result.details["row"] = error.row.map { String(plan.trainRows[$0] + 1) }
        do {
            try FileManager.default.createDirectory(at: rescue, withIntermediateDirectories: true)
            try HeadBundle.write(network, description(trainer), to: rescue)
            result.message += " They are in \(rescue.path)."
            result.details["last_good"] = rescue.path
        } catch {
            result.message += " They could not be written to \(rescue.path): \(error.localizedDescription)"
        }
        return result
    }

    private func finish(_ trainer: Trainer) throws -> Output {
        let evaluationStart = ContinuousClock.now
        var report: Report?, testRows: TestRows?
        var testOutputs: TestOutputs?
        let calibration = try calibration(trainer)
        if var truth = plan.test {
            truth.encoding.calibration = calibration
            progress(JobProgress(.evaluating, done: 0, total: plan.testRows.count))
            let measured = try truth.measure(network, table, rows: plan.testRows, keys: plan.testKeys)
            (report, testRows) = (measured.report, measured.rows)
            testRows?.addMap(table, rows: plan.testRows)
            if questions?.asksForMetrics ?? false {
                let outputs = try measured.outputs ?? network.evaluate(table, rows: plan.testRows)
                testOutputs = TestOutputs(
                    values: outputs.values, width: outputs.shape[1],
                    lengths: plan.encoding.task == .tag ? table.batch(plan.testRows[...]).lengths(0) : nil)
            }
        }
        let evaluateSeconds = (ContinuousClock.now - evaluationStart) / .seconds(1)
        let written = try HeadBundle.write(network, description(trainer, calibration), to: staging)
        return Output(
            description: written, parameters: network.parameterCount, history: trainer.history, report: report,
            trainRows: trainer.split.kept.count, validationRows: trainer.split.held.count, steps: trainer.step,
            bestEpoch: trainer.bestEpoch, learningRate: trainer.learningRate, validationScore: trainer.bestScore,
            trainSeconds: busy / .seconds(1), evaluateSeconds: evaluateSeconds, testOutputs: testOutputs,
            testRows: testRows)
    }
}

/// What a head says about rows: `[rows, width]`, row-major; of one that labels words, of all their words, `[words, width]`.
struct TestOutputs: Sendable {
    let values: [Float]
    let width: Int
    /// Words of each row; nil where a row has one output.
    let lengths: [Int]?

    /// Of these rows only.
    func values(of rows: [Int]) -> [Float] {
        guard let lengths else { return rows.flatMap { values[$0 * width..<($0 + 1) * width] } }
        let starts = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        return rows.flatMap { values[starts[$0] * width..<starts[$0 + 1] * width] }
    }
}

/// Everything about a run that is known before its features are.
struct TrainingPlan: Sendable {
    var request: TrainingRequest
    let encoding: LabelEncoding
    /// What the inputs of the head's network read, in the request's order.
    let sources: [FeatureSource]
    /// Rows of the features, and the targets of exactly those rows.
    var trainRows: [Int]
    var trainTargets: Targets
    let testRows: [Int]
    let test: Truth?
    /// All rows whose features are needed, the training rows, then the test rows, then those without labels, by columns.
    let columns: [[EncoderInput]]
    /// Rows of the features without labels.
    let unlabelledRows: [Int]
    /// Which of the training rows validate; nil: drawn by the settings.
    var validationSplit: Split?
    var notes: [String]

    /// What training makes smaller.
    var objective: Objective {
        var objective = Objective(smoothing: Float(request.settings.labelSmoothing))
        if request.settings.classWeights { objective.classWeights = trainTargets.balancingWeights(encoding.outputs) }
        return objective
    }

    /// A network to be trained.
    ///
    /// - Throws: `invalidArgument` for a graph that does not fit the features or the labels.
    func network(_ kind: HeadKind? = nil) throws -> HeadNetwork {
        do {
            return try HeadNetwork(
                kind ?? request.kind, graph: request.graph, inputs: sources.map(\.features), outputs: encoding.outputs,
                seed: request.settings.seed)
        } catch let error as HeadError {
            throw WorkbenchError(error)
        }
    }
}

extension Targets {
    /// Weights that make rare classes count as much as frequent ones: `rows / (classes · rows of the class)`; for independent
    /// labels the ratio of negatives to positives. nil where there are no classes.
    func balancingWeights(_ outputs: Int) -> [Float]? {
        switch self {
        case .classes(let classes):
            var counts = [Float](repeating: 0, count: outputs)
            for index in classes { counts[Int(index)] += 1 }
            return counts.map { $0 == 0 ? 0 : Float(classes.count) / (Float(outputs) * $0) }
        case .labels(let flags, let count):
            let rows = flags.count / max(count, 1)
            return (0..<count).map { label in
                let positives = (0..<rows).reduce(Float(0)) { $0 + flags[$1 * count + label] }
                return positives == 0 ? 1 : max(Float(rows) - positives, 1) / positives
            }
        case .values, .tags: return nil
        }
    }
}
