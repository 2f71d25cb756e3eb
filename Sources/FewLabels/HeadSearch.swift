import Glibc
package import Heads
import TensorCore
package import Training

/// Settings of a head, as a search tries them.
package struct HeadConfiguration: Sendable, Equatable {
    package var kind: HeadKind
    /// Times what the range test finds.
    package var rateFactor = 1.0
    /// Instead of it.
    package var learningRate: Double?
    package var batchSize: Int
    package var weightDecay: Double
    package var labelSmoothing: Double

    /// What a request says: one of those tried.
    package init(_ kind: HeadKind, _ settings: TrainingSettings) {
        self.kind = kind
        learningRate = settings.learningRate
        batchSize = settings.batchSize
        weightDecay = settings.weightDecay
        labelSmoothing = settings.labelSmoothing
    }

    /// The request's own, then others drawn at random around it. A request for a graph keeps the graph.
    package static func draw(
        _ count: Int, around own: HeadConfiguration, task: HeadTask, rows: Int, seed: UInt64
    ) -> [HeadConfiguration] {
        var random = Random(seed: seed, stream: "head search")
        func one<Value>(_ values: [Value]) -> Value { values[random.index(below: values.count)] }
        func logarithmic(_ low: Double, _ high: Double) -> Double { low * pow(high / low, Double(random.uniform())) }
        var all = [own]
        while all.count < count {
            var next = own
            switch own.kind {
            case .linear, .mlp:
                // A third linear: it is the strongest choice on few rows, and has fewer settings to get right.
                let hidden = one([128, 256, 512]), dropout = one([0, 0.1, 0.3, 0.5])
                next.kind = one([true, false, false]) ? .linear : .mlp(hidden: hidden, dropout: dropout)
            case .tagger: next.kind = .tagger(hidden: one([0, 0, 128, 256]), dropout: one([0, 0.1, 0.3, 0.5]))
            case .fusion(let fusion, _, _): next.kind = .fusion(fusion, hidden: one([64, 128, 256]), dropout: one([0, 0.1, 0.3]))
            case .graph: break
            }
            next.learningRate = nil
            next.rateFactor = logarithmic(0.2, 5)
            // Small batches of many rows cost time, and win nothing that the rate does not.
            next.batchSize = one(rows < 2_000 ? [16, 32, 64, 128] : [64, 128, 256])
            next.weightDecay = logarithmic(1e-5, 1e-1)
            if task == .classify { next.labelSmoothing = one([0, 0.05, 0.1, 0.2]) }
            all.append(next)
        }
        return all
    }
}

/// Successive halving (Jamieson & Talwalkar 2016): every configuration is trained for a few epochs, with a schedule that ends there; the
/// best quarter goes on to four times as many, until the last round has the epochs of the real training. Validation rows decide.
package struct HeadSearch {
    package struct Trial: Sendable {
        package var configuration: HeadConfiguration
        package var learningRate = 0.0, score = -Double.infinity, seconds = 0.0
        package var epochs = 0, bestEpoch = 0, rounds = 0
        package var isChosen = false
    }

    /// What is trained on, and how.
    package struct Problem {
        let features: FeatureTable
        let targets: Targets
        let objective: Objective
        let settings: TrainingSettings
        let network: (HeadKind) throws -> HeadNetwork

        /// - Parameter network: a new one of a kind.
        package init(
            features: FeatureTable, targets: Targets, objective: Objective, settings: TrainingSettings,
            network: @escaping (HeadKind) throws -> HeadNetwork
        ) {
            self.features = features
            self.targets = targets
            self.objective = objective
            self.settings = settings
            self.network = network
        }
    }

    /// A configuration survives a round with this many times as many.
    static let reduction = 4
    /// Fewest epochs of a round: less says nothing.
    private static let fewestEpochs = 2

    private let problem: Problem
    package private(set) var trials: [Trial]
    /// Rate of the lowest loss, by the kind's name and settings.
    private var rates: [(kind: HeadKind, rate: Double)] = []
    private var survivors: [Int]
    /// Epochs of the rounds to come.
    private var rounds: [Int]
    private var lanes: TrialLanes?
    private let finished = Finished()
    package let total: Int

    /// Trials of the round that are over: lanes hand them in while the round is under way.
    private final class Finished { var trials: [(index: Int, trial: HeadTrial)] = [] }

    package init(_ configurations: [HeadConfiguration], _ problem: Problem) {
        self.problem = problem
        trials = configurations.map { Trial(configuration: $0) }
        survivors = Array(configurations.indices)
        var sizes = [configurations.count]
        while let last = sizes.last, last > 2 { sizes.append((last + Self.reduction - 1) / Self.reduction) }
        rounds = sizes.indices.map { round in
            let share = pow(Double(Self.reduction), Double(round + 1 - sizes.count))
            return min(problem.settings.epochs, max(Self.fewestEpochs, Int((Double(problem.settings.epochs) * share).rounded())))
        }
        total = sizes.reduce(0, +)
    }

    /// Trials of all rounds that are over.
    package var done: Int { trials.reduce(0) { $0 + $1.rounds } }

    /// A slice of work. True when the choice is made.
    package mutating func step() throws -> Bool {
        // A range test for each kind first, one at a time: it is as long as a slice may be.
        if let kind = trials.lazy.map(\.configuration).first(where: { configuration in
            configuration.learningRate == nil && !rates.contains { $0.kind == configuration.kind }
        })?.kind {
            let rate = try RangeTest.lowestLossRate(
                problem.network(kind), features: problem.features, targets: problem.targets, objective: problem.objective,
                settings: problem.settings)
            rates.append((kind, rate))
            return false
        }
        let lanes = lanes ?? beginRound()
        try lanes.step()
        guard lanes.isFinished else { return false }
        endRound()
        guard rounds.isEmpty else { return false }
        trials[survivors[0]].isChosen = true
        return true
    }

    private mutating func beginRound() -> TrialLanes {
        let epochs = rounds.removeFirst(), problem = problem, rates = rates, finished = finished
        let own = survivors.map { trials[$0].configuration }
        finished.trials = []
        let lanes = TrialLanes(own.count) { index in
            let configuration = own[index]
            var settings = problem.settings, objective = problem.objective
            settings.epochs = epochs
            settings.batchSize = configuration.batchSize
            settings.weightDecay = configuration.weightDecay
            settings.labelSmoothing = configuration.labelSmoothing
            objective.smoothing = Float(configuration.labelSmoothing)
            let steps = (problem.targets.rows + settings.batchSize - 1) / settings.batchSize * epochs
            let lowest = rates.first { $0.kind == configuration.kind }?.rate ?? 1e-3
            let rate = configuration.learningRate ?? lowest * RangeTest.fraction(ofSteps: steps) * configuration.rateFactor
            let network = try problem.network(configuration.kind)
            return HeadTrial(
                network,
                Trainer(
                    network, features: problem.features, targets: problem.targets, objective: objective, settings: settings,
                    learningRate: rate))
        } finish: { index, trial in
            finished.trials.append((index, trial))
        }
        self.lanes = lanes
        return lanes
    }

    private mutating func endRound() {
        for (index, trial) in finished.trials {
            let number = survivors[index]
            trials[number].learningRate = trial.trainer.learningRate
            trials[number].score = trial.score
            trials[number].seconds += trial.seconds
            trials[number].epochs = trial.trainer.settings.epochs
            trials[number].bestEpoch = trial.trainer.bestEpoch
            trials[number].rounds += 1
        }
        finished.trials = []
        lanes = nil
        // Of equals the first drawn: the order in which lanes finish says nothing.
        survivors.sort { (trials[$1].score, $0) < (trials[$0].score, $1) }
        if !rounds.isEmpty { survivors = Array(survivors.prefix((survivors.count + Self.reduction - 1) / Self.reduction)) }
    }

    /// The kind and the settings of the chosen configuration; nil while there is none, or when none could be trained.
    package var choice: (kind: HeadKind, settings: TrainingSettings)? {
        guard let trial = trials.first(where: \.isChosen), trial.score.isFinite else { return nil }
        var settings = problem.settings
        settings.learningRate = trial.learningRate
        settings.batchSize = trial.configuration.batchSize
        settings.weightDecay = trial.configuration.weightDecay
        settings.labelSmoothing = trial.configuration.labelSmoothing
        return (trial.configuration.kind, settings)
    }
}
