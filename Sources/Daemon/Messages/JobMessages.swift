import Heads
import HidraProtocol
import State
import Training
import Workbench

extension Hidra_V1_Progress {
    init(job: String, _ progress: JobProgress) {
        self.init()
        self.job = job
        phase = progress.phase.rawValue
        done = UInt64(clamping: progress.done)
        total = UInt64(clamping: progress.total)
        unit = progress.unit
        metrics = progress.metrics
        note = progress.note
    }
}

extension Hidra_V1_Task {
    init(_ task: HeadTask) {
        switch task {
        case .classify: self = .classify
        case .multilabel: self = .multilabel
        case .regress: self = .regress
        case .tag: self = .tag
        }
    }
}

extension HeadTask {
    /// Unset means `classify`.
    init(_ task: Hidra_V1_Task) throws {
        switch task {
        case .unspecified, .classify: self = .classify
        case .multilabel: self = .multilabel
        case .regress: self = .regress
        case .tag: self = .tag
        case .UNRECOGNIZED(let number):
            throw Failure(
                .unsupported, "Task \(number) is not known to this daemon; it knows classify, multilabel, regress and tag.")
        }
    }
}

extension Hidra_V1_EvaluateReply {
    init(head: String, task: HeadTask, report: Report, truncated: Int, notes: [String], seconds: Double) {
        self.init()
        self.head = head
        self.task = Hidra_V1_Task(task)
        rows = UInt64(report.rows)
        metrics = report.metrics
        classes = report.classes.map { score in
            var message = Hidra_V1_ClassReport()
            message.label = score.label
            message.precision = score.precision
            message.recall = score.recall
            message.f1 = score.f1
            message.support = UInt64(score.support)
            return message
        }
        confusions = report.confusions.map { pair in
            var message = Hidra_V1_Confusion()
            message.actual = pair.actual
            message.predicted = pair.predicted
            message.count = UInt64(pair.count)
            return message
        }
        truncatedRows = UInt64(truncated)
        self.notes = notes
        self.seconds = seconds
    }
}

extension Hidra_V1_TrainReply {
    init(_ outcome: TrainingOutcome, task: HeadTask) {
        self.init()
        head = Hidra_V1_Head(outcome.head)
        run = Hidra_V1_Run(outcome.run)
        if let report = outcome.test {
            test = Hidra_V1_EvaluateReply(
                head: outcome.head.name, task: task, report: report, truncated: outcome.summary.truncatedTestRows,
                notes: [], seconds: outcome.summary.evaluateSeconds)
        }
        summary = Hidra_V1_TrainingSummary(outcome.summary)
        trials = outcome.choices.trials.enumerated().map { Hidra_V1_Trial($1, number: $0 + 1) }
        selfTraining = outcome.choices.rounds.map { Hidra_V1_SelfTrainingRound($0) }
        if let fitted = outcome.calibration { calibration = Hidra_V1_Calibration(fitted) }
    }
}

extension Hidra_V1_TrainingSummary {
    init(_ summary: TrainingSummary) {
        self.init()
        trainRows = UInt64(summary.trainRows)
        validationRows = UInt64(summary.validationRows)
        testRows = UInt64(summary.testRows)
        cacheHits = UInt64(summary.cacheHits)
        cacheMisses = UInt64(summary.cacheMisses)
        truncatedRows = UInt64(summary.truncatedRows)
        steps = UInt64(summary.steps)
        stepsPerSecond = summary.stepsPerSecond
        extractSeconds = summary.extractSeconds
        trainSeconds = summary.trainSeconds
        evaluateSeconds = summary.evaluateSeconds
        totalSeconds = summary.totalSeconds
        learningRate = summary.learningRate
        bestEpoch = UInt32(clamping: summary.bestEpoch)
        validationScore = summary.validationScore
        notes = summary.notes
    }
}

extension Hidra_V1_HeadPrediction {
    init(_ prediction: HeadPrediction) {
        self.init()
        switch prediction {
        case .value(let value): self.value = value
        case .spans(let pieces):
            spans = pieces.map { piece in
                var message = Hidra_V1_Span()
                message.label = piece.label
                message.start = UInt32(clamping: piece.range.lowerBound)
                message.end = UInt32(clamping: piece.range.upperBound)
                message.score = piece.score
                return message
            }
        case .labels(let scores):
            labels = scores.map { score in
                var message = Hidra_V1_Score()
                message.label = score.label
                message.score = score.score
                return message
            }
        }
    }
}
