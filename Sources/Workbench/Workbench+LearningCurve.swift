package import FewLabels
import Heads
import Scheduling
import State
import TensorCore
import Training

package struct LearningCurveOutcome: Sendable {
    package var curve: LearningCurve
    package var testRows: Int
    package var notes: [String]
}

extension Workbench {
    /// Share of the rows that is held out where the request brings no test rows and holds out none.
    private static let heldOut = 0.2
    package static let mostShares = 20, mostSeeds = 20

    /// Trains heads on growing shares of the rows, each on several random choices, and measures all on the same test rows. Nothing is
    /// registered.
    package func learningCurve(
        _ request: TrainingRequest, shares: [Double] = [], seeds: Int = 3, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> LearningCurveOutcome {
        let shares = shares.isEmpty ? LearningCurve.defaultShares : shares
        guard (2...Self.mostShares).contains(shares.count), shares.allSatisfy({ $0 > 0 && $0 <= 1 }), zip(shares, shares.dropFirst()).allSatisfy(<)
        else {
            throw WorkbenchError(
                .invalidArgument, "The shares must be 2 to \(Self.mostShares) numbers above 0 and at most 1, ascending, e.g. 0.1, 0.25, 0.5, 1.")
        }
        guard (1...Self.mostSeeds).contains(seeds) else {
            throw WorkbenchError(.invalidArgument, "\(seeds) choices of rows were asked for; take 1 to \(Self.mostSeeds).")
        }
        guard request.task != .tag else {
            throw WorkbenchError(.unsupported, "A learning curve is for the tasks classify, multilabel and regress.")
        }
        var request = request
        request.selfTraining = nil
        request.search = nil
        if request.test == nil, request.holdout == 0 { request.holdout = Self.heldOut }
        progress(JobProgress(.loading, unit: "encoders"))
        var loading: [String: LoadedEncoder] = [:]
        for read in request.reads where loading[read.encoder] == nil {
            loading[read.encoder] = try await encoders.encoder(named: read.encoder, precision: request.precision)
        }
        let loaded = loading, asked = request
        let first = try await Workbench.offPool { try TrainingPlan(asked, loaded) }
        let total = first.columns[0].count
        let extracted = try await extractor.features(first.columns, for: first.sources, priority: .training) { done, hits in
            progress(JobProgress(.extracting, done: done, total: total, metrics: ["cache_hits": Double(hits)]))
        }
        let (plan, features) = try await Workbench.offPool { try first.leavingOutUnreadable(extracted, loaded) }
        guard plan.test != nil else {
            throw WorkbenchError(.invalidData, "There are too few rows to hold any out for testing. Give test rows.")
        }
        let curve = try await compute.run(.training) {
            try CurveTask(plan: plan, features: features, shares: shares, seeds: seeds, progress: progress)
        }
        return LearningCurveOutcome(curve: curve, testRows: plan.testRows.count, notes: plan.notes)
    }
}

/// The compute task behind it.
private struct CurveTask: ComputeTask {
    private let lanes: TrialLanes
    private let scores: Scores
    private let shares: [Double], seeds: Int, metric: String
    private let progress: ProgressHandler

    private final class Scores {
        /// By share, by seed.
        var values: [[Double]], rows: [Int], done = 0
        init(_ shares: Int, _ seeds: Int) {
            values = [[Double]](repeating: [Double](repeating: 0, count: seeds), count: shares)
            rows = [Int](repeating: 0, count: shares)
        }
    }

    init(
        plan: TrainingPlan, features: RowFeatures, shares: [Double], seeds: Int, progress: @escaping ProgressHandler
    ) throws {
        self.shares = shares
        self.seeds = seeds
        self.progress = progress
        let metric = plan.encoding.task == .classify ? "accuracy" : plan.encoding.task == .multilabel ? "micro_f1" : "r2"
        self.metric = metric
        let table = features.table, scores = Scores(shares.count, seeds)
        self.scores = scores
        // Found once, on all rows; what depends on their number is the fraction of it.
        let all = table.selecting(plan.trainRows)
        let settings = plan.request.settings
        let lowest = try settings.learningRate == nil
            ? RangeTest.lowestLossRate(
                plan.network(), features: all, targets: plan.trainTargets, objective: plan.objective, settings: settings) : 0
        lanes = TrialLanes(shares.count * seeds) { number in
            // The longest first, so that no core waits for one at the end.
            let share = shares.count - 1 - number / seeds, seed = number % seeds
            var settings = settings
            settings.seed &+= UInt64(seed)
            let rows = LearningCurve.rows(plan.trainTargets, share: shares[share], seed: settings.seed)
            scores.rows[share] = rows.count
            let steps = (rows.count + settings.batchSize - 1) / settings.batchSize * settings.epochs
            var own = plan
            own.request.settings = settings
            let network = try own.network()
            return HeadTrial(
                network,
                Trainer(
                    network, features: all.selecting(rows), targets: plan.trainTargets.selecting(rows), objective: plan.objective,
                    settings: settings, learningRate: settings.learningRate ?? lowest * RangeTest.fraction(ofSteps: steps)))
        } finish: { number, trial in
            if let failure = trial.failure { throw WorkbenchError(.invalidArgument, "\(failure)") }
            let report = try plan.test?.report(trial.network, table, rows: plan.testRows)
            scores.values[shares.count - 1 - number / seeds][number % seeds] = report?.metrics[metric] ?? 0
            scores.done += 1
        }
    }

    mutating func step() throws -> LearningCurve? {
        try lanes.step()
        progress(JobProgress(.training, done: scores.done, total: shares.count * seeds, unit: "heads"))
        guard lanes.isFinished else { return nil }
        return LearningCurve(
            metric: metric,
            points: shares.indices.map { LearningCurve.Point(share: shares[$0], rows: scores.rows[$0], scores: scores.values[$0]) })
    }
}
