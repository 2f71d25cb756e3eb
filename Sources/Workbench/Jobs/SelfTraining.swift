import FewLabels
import Heads
import State
import TensorCore
import Training

/// A round of self-training.
package struct SelfTrainingRound: Sendable, Codable {
    /// 0: on the labels alone.
    package var number: Int
    /// Rows learnt from whose label is the head's own.
    package var taken: Int
    package var validationScore: Double
    package var testAccuracy: Double?
    package var isKept = false
}

/// The compute task of self-training: trains on the labels, labels what it is sure of, trains on both, and again. The round that does best
/// on the validation rows stays, which are real labels and the same in every round; that may be the first.
struct SelfTraining: ComputeTask {
    struct Output: Sendable {
        let rounds: [SelfTrainingRound]
        /// The plan of the round that stays.
        let plan: TrainingPlan
    }

    private let plan: TrainingPlan
    private let request: SelfTrainingRequest
    private let table: FeatureTable
    private let split: Split
    private let counts: [Int]
    private let progress: ProgressHandler
    private var lowestRate: Double?
    private var trial: HeadTrial?
    private var taken: [(row: Int, label: Int)] = []
    private var rounds: [SelfTrainingRound] = []
    private var best: (score: Double, plan: TrainingPlan)?

    init(plan: TrainingPlan, features: RowFeatures, request: SelfTrainingRequest, progress: @escaping ProgressHandler) throws {
        self.plan = plan
        self.request = request
        self.progress = progress
        table = features.table
        split = Split(
            plan.trainTargets, share: plan.request.settings.validation, seed: plan.request.settings.seed, purpose: "validation")
        guard split.held.count >= Calibration.fewestRows else {
            throw WorkbenchError(
                .invalidData,
                "Of these labels only \(split.held.count) rows would validate, and self-training needs \(Calibration.fewestRows) to see "
                    + "whether it helps. Label more rows, or raise the validation share.")
        }
        var counts = [Int](repeating: 0, count: plan.encoding.outputs)
        if case .classes(let classes) = plan.trainTargets { for label in classes { counts[Int(label)] += 1 } }
        self.counts = counts
    }

    mutating func step() throws -> Output? {
        let trial = try trial ?? begin()
        let before = trial.trainer.step
        trial.advance(until: ContinuousClock.now + HeadTraining.slice)
        if let failure = trial.failure { throw failure is TrainingError ? WorkbenchError(.invalidArgument, "\(failure)") : failure }
        if trial.trainer.step != before {
            progress(
                JobProgress(.training, done: trial.trainer.step, total: trial.trainer.totalSteps, unit: "steps", metrics: ["round": Double(rounds.count)]))
        }
        return trial.isFinished ? try end(trial) : nil
    }

    /// The plan with the rows taken so far among the training rows.
    private var extended: TrainingPlan {
        var extended = plan
        extended.trainRows += taken.map { plan.unlabelledRows[$0.row] }
        if case .classes(let classes) = plan.trainTargets { extended.trainTargets = .classes(classes + taken.map { Int32($0.label) }) }
        extended.validationSplit = Split(kept: split.kept + (plan.trainRows.count..<extended.trainRows.count), held: split.held)
        return extended
    }

    private mutating func begin() throws -> HeadTrial {
        var round = extended
        let rows = table.selecting(round.trainRows)
        var settings = round.request.settings
        if settings.learningRate == nil {
            // Found once, on real labels.
            let lowest =
                try lowestRate
                ?? RangeTest.lowestLossRate(
                    plan.network(), features: rows, targets: round.trainTargets, objective: round.objective, settings: settings)
            lowestRate = lowest
            let perEpoch = (rows.rows + settings.batchSize - 1) / settings.batchSize
            settings.learningRate = lowest * RangeTest.fraction(ofSteps: perEpoch * settings.epochs)
        }
        round.request.settings = settings
        let network = try round.network()
        let trial = HeadTrial(
            network,
            Trainer(
                network, features: rows, targets: round.trainTargets, objective: round.objective, settings: settings,
                learningRate: settings.learningRate ?? 1e-3, split: round.validationSplit))
        self.trial = trial
        return trial
    }

    private mutating func end(_ trial: HeadTrial) throws -> Output? {
        self.trial = nil
        var round = SelfTrainingRound(number: rounds.count, taken: taken.count, validationScore: trial.score)
        if let test = plan.test {
            round.testAccuracy = test.report(try trial.network.evaluate(table, rows: plan.testRows)).metrics["accuracy"]
        }
        rounds.append(round)
        if best.map({ trial.score > $0.score }) ?? true {
            var winner = extended
            winner.request.settings.learningRate = trial.trainer.learningRate
            best = (trial.score, winner)
            for index in rounds.indices { rounds[index].isKept = index == rounds.count - 1 }
        }
        progress(JobProgress(.training, note: note(round)))
        guard rounds.count <= request.rounds, let (outputs, targets) = try trial.trainer.validationOutputs() else { return output }
        let temperature = Calibration(fitting: outputs, targets)?.temperature ?? 1
        let guesses = Calibration.confidences(try trial.network.evaluate(table, rows: plan.unlabelledRows), temperature)
        let next = PseudoLabels.choose(
            guesses.map { ($0.best, $0.confidence) }, confidence: request.confidence, counts: counts)
        // Nothing to take, or nothing new.
        guard !next.isEmpty, !next.elementsEqual(taken, by: ==) else { return output }
        taken = next
        return nil
    }

    private var output: Output? { best.map { Output(rounds: rounds, plan: $0.plan) } }

    private func note(_ round: SelfTrainingRound) -> String {
        let test = round.testAccuracy.map { ", accuracy \(Double(Int(($0 * 10_000).rounded())) / 10_000) on the test rows" } ?? ""
        let score = Double(Int((round.validationScore * 10_000).rounded())) / 10_000
        return round.number == 0
            ? "On the labels alone: \(score) on the validation rows\(test)."
            : "Round \(round.number): \(round.taken) of \(plan.unlabelledRows.count) rows labelled by the head, \(score) on the validation rows\(test)."
    }
}
