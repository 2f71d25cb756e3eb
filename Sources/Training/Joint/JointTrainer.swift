package import Checkpoints
import TensorCore

/// Trains several heads together with the body they share, one optimiser step at a time.
///
/// A step draws rows of all data sets as the sampler says, takes those of the body through it in one pass, whatever data sets and
/// heads they are for, and makes one loss of the heads': each head's mean over its rows, times its weight, times its rows' share
/// of the step's (GradNorm leaves the share out). AdamW for the body, layer by layer, and for each head; warm-up and a half cosine
/// for all of them. Everything random is a function of the seed and the step's number.
///
/// At the end of an epoch each head is validated. A head without a better score for `patience` epochs has settled: it no longer
/// moves the body, and only follows it. A head and a body fit together only as they were at one time, so that what is kept is a
/// whole epoch: the one that is better than the one kept before by the weighted mean, over all heads of the body, of the scores'
/// relative change. Heads of a table depend on nobody: each keeps its own best epoch and stops when it has settled.
package final class JointTrainer: HeadsTraining {
    package let settings: JointSettings
    package let datasets: [JointDataset]
    package let body: (any TrainableBody)?
    /// Of each data set; heads of one data set learn from the same rows.
    package let splits: [Split]
    package let totalSteps: Int
    package internal(set) var step = 0
    package internal(set) var isFinished = false
    /// Finished epochs.
    package internal(set) var epoch = 0

    let heads: [TrainedHead]
    let groups: [BodyGroup]
    let schedule: Schedule
    /// Rows given instead of drawn, by step: for comparisons with a reference.
    let givenRows: ((Int) -> [JointRows])?
    var streams: [RowStream]
    /// Rows drawn of each data set before the present epoch.
    var drawn: [Int]
    var order = EpochOrder(sizes: [], sampler: .proportional, seed: 0, epoch: 0)
    /// Steps of the present epoch that have been taken.
    var position = 0
    /// The body and its heads as they were in the best epoch or, before one has ended, at a recent step.
    let kept: WeightSnapshot
    var keptEpoch = 0
    var uncertainty: UncertaintyWeights?
    var uncertaintyOptimiser: AdamW?
    var gradNorm: GradNorm?
    var pending: PendingStep?
    var validation: JointValidation?

    private static let snapshotInterval = 64
    private let firstEpochSteps: Int

    /// - Parameters:
    ///   - optimiser: of the body's groups and of each head; AdamW with the settings' weight decay when nil.
    ///   - schedule: of the learning rates, instead of the settings' warm-up and cosine; the first step has its rate 0.
    ///   - rows: those of each step, instead of drawn ones.
    /// - Throws: `TrainingError.invalidSettings`.
    package init(
        datasets: [JointDataset], heads: [JointHead], body: (any TrainableBody)?, settings: JointSettings,
        optimiser: (([Parameter]) -> any Optimiser)? = nil, schedule: Schedule? = nil, rows: ((Int) -> [JointRows])? = nil
    ) throws {
        try Self.check(datasets, heads, body, settings)
        self.settings = settings
        self.datasets = datasets
        self.body = body
        givenRows = rows
        let make = optimiser ?? { AdamW($0, weightDecay: Float(settings.weightDecay)) }
        self.heads = heads.map { TrainedHead($0, isOfBody: datasets[$0.dataset].isOfBody, optimiser: make($0.network.parameters)) }
        groups = Dictionary(grouping: body?.parameters ?? [], by: \.depth).sorted { $0.key < $1.key }.map {
            BodyGroup(depth: $0.key, optimiser: make($0.value.map(\.parameter)))
        }
        splits = datasets.indices.map { dataset in
            // Classes, where a head has them, are divided class by class.
            let own = heads.filter { $0.dataset == dataset }
            let first = own.first { if case .classes = $0.targets { true } else { false } } ?? own[0]
            return Split(first.targets, share: settings.validation, seed: settings.seed, purpose: "validation")
        }
        streams = zip(datasets, splits).map { RowStream($1.kept, seed: settings.seed, name: $0.name) }
        drawn = datasets.map { _ in 0 }
        let perStep = settings.batchSize * settings.accumulation
        firstEpochSteps = max(1, (splits.reduce(0) { $0 + $1.kept.count } + perStep - 1) / perStep)
        totalSteps = firstEpochSteps * settings.epochs
        self.schedule =
            schedule ?? .cosine(warmup: Int((Double(totalSteps) * settings.warmup).rounded()), total: totalSteps)
        startsAtZero = schedule != nil
        kept = WeightSnapshot(
            groups.flatMap(\.leaves) + self.heads.filter(\.isOfBody).flatMap { $0.leaves + $0.head.network.buffers })
        switch settings.balance {
        case .fixed, .pcgrad: break
        case .uncertainty:
            let weights = UncertaintyWeights(
                heads.map { head in (head.name, { if case .values = head.targets { true } else { false } }()) })
            uncertainty = weights
            uncertaintyOptimiser = AdamW(weights.parameters, weightDecay: 0)
        case .gradnorm:
            gradNorm = GradNorm(
                weights: heads.map(\.weight), alpha: settings.gradNormAlpha, rate: settings.gradNormRate)
        }
        beginEpoch()
    }

    private let startsAtZero: Bool

    package var headNames: [String] { heads.map(\.head.name) }
    package func history(_ head: Int) -> [Trainer.Epoch] { heads[head].history }
    package func bestEpoch(_ head: Int) -> Int { heads[head].isOfBody ? keptEpoch : heads[head].bestEpoch }
    package func bestScore(_ head: Int) -> Double { heads[head].keptScore }
    /// The heads' weights of the joint loss as they are now, by name: learnt, where the balance learns them.
    package var lossWeights: [String: Double] {
        Dictionary(uniqueKeysWithValues: heads.indices.map { (heads[$0].head.name, Double(lossWeight($0))) })
    }
    /// Steps of the present epoch.
    package var stepsInEpoch: Int {
        let perStep = settings.batchSize * settings.accumulation
        return max(1, (order.datasets.count + perStep - 1) / perStep)
    }

    func lossWeight(_ head: Int) -> Float {
        let own = Float(heads[head].head.weight)
        if let uncertainty { return own * uncertainty.weight(head) }
        if let gradNorm { return Float(gradNorm.weights[head]) }
        return own
    }

    private static func check(
        _ datasets: [JointDataset], _ heads: [JointHead], _ body: (any TrainableBody)?, _ settings: JointSettings
    ) throws {
        func refuse(_ message: String) -> TrainingError { TrainingError(.invalidSettings, message) }
        if let problem = settings.problem { throw refuse("A setting cannot be used: \(problem)") }
        if heads.isEmpty { throw refuse("There is no head to train.") }
        var names: Set<String> = []
        for head in heads {
            guard names.insert(head.name).inserted else {
                throw refuse("Two heads are named '\(head.name)'. Give one of them another name.")
            }
            precondition(datasets.indices.contains(head.dataset), "head '\(head.name)' names data set \(head.dataset)")
            let dataset = datasets[head.dataset]
            guard head.targets.rows == dataset.rows, dataset.rows > 0 else {
                throw refuse("Head '\(head.name)' has \(head.targets.rows) targets for \(dataset.rows) rows of '\(dataset.name)'.")
            }
            guard head.weight > 0, head.weight.isFinite else {
                throw refuse("The weight of head '\(head.name)' is \(head.weight); it must be positive.")
            }
            precondition(!dataset.isOfBody || body != nil, "'\(dataset.name)' needs a body")
            if case .tags = head.targets, dataset.isOfBody {
                throw refuse("Head '\(head.name)' labels words, and a body that is trained makes one vector of each text. Train it on frozen features.")
            }
        }
        for (index, dataset) in datasets.enumerated() where !heads.contains(where: { $0.dataset == index }) {
            throw refuse("No head learns from '\(dataset.name)'.")
        }
    }

    // MARK: Rows and rates

    func beginEpoch() {
        let sizes = datasets.indices.map { dataset in
            heads.contains { $0.head.dataset == dataset && $0.isFollowed } ? splits[dataset].kept.count : 0
        }
        order = EpochOrder(sizes: sizes, sampler: settings.sampler, seed: settings.seed, epoch: epoch)
        position = 0
        for head in heads { (head.lossSum, head.lossCount) = (0, 0) }
    }

    /// The rows of the next step, pass by pass, those of a data set together.
    func nextRows() -> [[JointRows]] {
        precondition(!isFinished && validation == nil && pending == nil, "no step is due")
        if keptEpoch == 0, step % Self.snapshotInterval == 0 { kept.take() }
        if let givenRows { return [givenRows(step)] }
        let perStep = settings.batchSize * settings.accumulation, all = order.datasets
        var counts = drawn
        for dataset in all[..<(position * perStep)] { counts[dataset] += 1 }
        let own = all[position * perStep..<min((position + 1) * perStep, all.count)]
        return stride(from: own.startIndex, to: own.endIndex, by: settings.batchSize).map { start in
            var rows = datasets.map { _ in [Int]() }
            for dataset in own[start..<min(start + settings.batchSize, own.endIndex)] {
                rows[dataset].append(streams[dataset].row(after: counts[dataset]))
                counts[dataset] += 1
            }
            return rows.enumerated().filter { !$1.isEmpty }.map { JointRows(dataset: $0, rows: $1) }
        }
    }

    /// The next step's rate of a base rate. Heads that stop early make epochs shorter, not the schedule.
    func rate(_ base: Double) -> Float {
        if startsAtZero { return schedule.rate(step, base: base) }
        let position = epoch * firstEpochSteps + position * firstEpochSteps / stepsInEpoch
        return schedule.rate(position + 1, base: base)
    }

    /// Parameters of the body that are trained in this epoch.
    var trainedGroups: [BodyGroup] {
        let trained = groups.filter { settings.trains(depth: $0.depth, epoch: epoch) }
        // The top group always is: a body may train nothing in its very top layer.
        return trained.isEmpty ? Array(groups.prefix(1)) : trained
    }
}

/// A layer of the body with its optimiser.
final class BodyGroup {
    let depth: Int
    var optimiser: any Optimiser
    let leaves: [Tensor]

    init(depth: Int, optimiser: any Optimiser) {
        self.depth = depth
        self.optimiser = optimiser
        leaves = optimiser.parameters.map(\.value)
    }
}

/// A head on its way.
final class TrainedHead {
    let head: JointHead
    let isOfBody: Bool
    var optimiser: any Optimiser
    let leaves: [Tensor]
    /// Of a head that depends on nobody.
    let kept: WeightSnapshot
    var history: [Trainer.Epoch] = []
    var bestEpoch = 0
    /// The best score, and the score of the epoch that is kept.
    var bestScore = -Double.infinity, keptScore = -Double.infinity
    /// No better score for `patience` epochs.
    var hasSettled = false
    var lossSum = 0.0, lossCount = 0

    init(_ head: JointHead, isOfBody: Bool, optimiser: any Optimiser) {
        self.head = head
        self.isOfBody = isOfBody
        self.optimiser = optimiser
        leaves = head.network.parameters.map(\.value)
        kept = WeightSnapshot(leaves + head.network.buffers)
    }

    /// Whether its weights still change: a settled head follows the body.
    var isFollowed: Bool { isOfBody || !hasSettled }
    var movesBody: Bool { isOfBody && !hasSettled }
}
