package import FewLabels
import Foundation
import Heads
import Scheduling
import State

/// What was chosen before a head was trained, and from what.
package struct TrainingChoices: Sendable {
    package var trials: [HeadSearch.Trial] = []
    package var rounds: [SelfTrainingRound] = []

    var isEmpty: Bool { trials.isEmpty && rounds.isEmpty }

    /// A trial as the run's record keeps it.
    struct Trial: Encodable {
        var kind: HeadKind
        var learningRate: Double, batchSize: Int, weightDecay: Double, labelSmoothing: Double
        var epochs: Int, bestEpoch: Int, rounds: Int
        /// nil when it diverged.
        var score: Double?
        var seconds: Double
        var chosen: Bool
    }

    var records: [Trial] {
        trials.map { trial in
            Trial(
                kind: trial.configuration.kind, learningRate: trial.learningRate, batchSize: trial.configuration.batchSize,
                weightDecay: trial.configuration.weightDecay, labelSmoothing: trial.configuration.labelSmoothing, epochs: trial.epochs,
                bestEpoch: trial.bestEpoch, rounds: trial.rounds, score: trial.score.isFinite ? trial.score : nil, seconds: trial.seconds,
                chosen: trial.isChosen)
        }
    }
}

extension TrainingRequest {
    /// - Throws: `invalidArgument` where settings are to be chosen by a loss that a client computes.
    func requireOwnLoss(_ calls: TrainingCalls?) throws {
        guard search != nil || selfTraining != nil, calls?.kinds.contains(.loss) ?? false else { return }
        throw WorkbenchError(
            .invalidArgument, "A search, or self-training, trains many heads at a time, and cannot ask a client for their losses. Leave out one of them.")
    }
}

extension Workbench {
    /// The plan with the settings, and the rows, that trying finds. Test rows have no part in it.
    func chosen(
        _ plan: TrainingPlan, _ features: RowFeatures, _ calls: TrainingCalls?, _ progress: @escaping ProgressHandler
    ) async throws -> (plan: TrainingPlan, choices: TrainingChoices) {
        var plan = plan, choices = TrainingChoices()
        if let configurations = plan.request.search {
            let problem = plan
            let found = try await compute.run(.training) {
                HeadSearching(plan: problem, features: features, configurations: configurations, progress: progress)
            }
            choices.trials = found.trials
            plan.request.kind = found.kind
            plan.request.settings = found.settings
        }
        if let request = plan.request.selfTraining {
            let problem = plan
            let found = try await compute.run(.training) {
                try SelfTraining(plan: problem, features: features, request: request, progress: progress)
            }
            choices.rounds = found.rounds
            plan = found.plan
            plan.notes.append(found.note)
            progress(JobProgress(.training, note: found.note))
        }
        return (plan, choices)
    }
}

extension SelfTraining.Output {
    /// What became of it, in a sentence.
    fileprivate var note: String {
        guard rounds.count > 1 else { return "The head was sure of no row without a label: it learnt from the labels alone." }
        guard let kept = rounds.first(where: \.isKept), kept.number > 0 else {
            return "Labels of its own did not help the head on the validation rows: it learnt from the given ones alone."
        }
        return "The head learnt from \(kept.taken) labels of its own beside the given ones (round \(kept.number))."
    }
}
