import FewLabels
import Heads
import State
import Training

/// The compute task that tries configurations of a head.
struct HeadSearching: ComputeTask {
    struct Output: Sendable {
        let trials: [HeadSearch.Trial]
        let kind: HeadKind
        let settings: TrainingSettings
    }

    private var search: HeadSearch
    private let progress: ProgressHandler

    init(plan: TrainingPlan, features: RowFeatures, configurations: Int, progress: @escaping ProgressHandler) {
        let request = plan.request
        var own = HeadConfiguration(request.kind, request.settings)
        own.learningRate = own.learningRate ?? plan.encoding.task.fixedRate
        search = HeadSearch(
            HeadConfiguration.draw(
                configurations, around: own, task: request.task, rows: plan.trainRows.count, seed: request.settings.seed),
            HeadSearch.Problem(
                features: features.table.selecting(plan.trainRows), targets: plan.trainTargets, objective: plan.objective,
                settings: request.settings, network: { try plan.network($0) }))
        self.progress = progress
    }

    mutating func step() throws -> Output? {
        let isOver = try search.step()
        let best = search.trials.map(\.score).max() ?? 0
        progress(
            JobProgress(
                .searching, done: search.done, total: search.total, unit: "trials", metrics: best.isFinite ? ["validation_score": best] : [:]))
        guard isOver else { return nil }
        guard let choice = search.choice else {
            throw WorkbenchError(
                .invalidArgument, "None of the \(search.trials.count) configurations could be trained: each diverged. Look at the features.")
        }
        return Output(trials: search.trials, kind: choice.kind, settings: choice.settings)
    }
}
