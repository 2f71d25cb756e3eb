import Encoders
import Heads
import TensorCore
import Training

/// Probabilities of each row's labels from linear heads that were trained without the row: k folds, in slices of some milliseconds.
struct HeldOutProbabilities: ComputeTask {
    static let folds = 5

    private let table: FeatureTable
    private let targets: Targets
    private let outputs: Int
    /// Fold of each row.
    private let fold: [Int]
    private var settings: TrainingSettings
    private let progress: @Sendable (_ done: Int, _ total: Int) -> Void
    private var current = 0
    private var trainer: Trainer?
    private var network: HeadNetwork?
    /// `[rows, outputs]`
    private var probabilities: [Float]

    /// - Parameters:
    ///   - values: row-major `[rows, width]`.
    ///   - groups: rows of one group are in one fold, so that a row's twin does not give its label away.
    init(
        values: [Float], width: Int, targets: Targets, outputs: Int, groups: [Int], seed: UInt64,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
    ) {
        table = FeatureTable(Tensor(values, [targets.rows, width]))
        self.targets = targets
        self.outputs = outputs
        self.progress = progress
        settings = TrainingSettings()
        settings.seed = seed
        probabilities = [Float](repeating: 0, count: targets.rows * outputs)
        fold = Self.assign(targets, groups, seed)
    }

    /// Deals the groups of each class in turn, in random order.
    private static func assign(_ targets: Targets, _ groups: [Int], _ seed: UInt64) -> [Int] {
        var random = Random(seed: seed, stream: "folds of the data check")
        var next: [Int32: Int] = [:], ofGroup: [Int: Int] = [:], fold = [Int](repeating: 0, count: groups.count)
        for row in random.permutation(groups.count) {
            if ofGroup[groups[row]] == nil {
                let kind: Int32 = if case .classes(let classes) = targets { classes[row] } else { 0 }
                // Classes begin at different folds, so that small ones do not all leave the last fold empty.
                ofGroup[groups[row]] = (next[kind] ?? Int(kind)) % folds
                next[kind] = (next[kind] ?? Int(kind)) + 1
            }
            fold[row] = ofGroup[groups[row]] ?? 0
        }
        return fold
    }

    mutating func step() throws -> [Float]? {
        let start = ContinuousClock.now
        guard let trainer, let network else {
            try begin()
            return nil
        }
        while !trainer.isFinished, ContinuousClock.now - start < HeadTraining.slice { try trainer.advance() }
        progress(current * trainer.totalSteps + trainer.step, Self.folds * trainer.totalSteps)
        guard trainer.isFinished else { return nil }
        let held = fold.indices.filter { fold[$0] == current }
        if !held.isEmpty { try answer(network, held) }
        current += 1
        self.trainer = nil
        return current == Self.folds ? probabilities : nil
    }

    private mutating func begin() throws {
        let rows = fold.indices.filter { fold[$0] != current }
        let features = table.selecting(rows), own = targets.selecting(rows)
        func fresh() throws -> HeadNetwork {
            try HeadNetwork(
                .linear, inputs: [HeadFeatures(name: "", form: .pooled, width: table.width, featureSpace: "", tap: 0)], outputs: outputs,
                seed: settings.seed)
        }
        let objective = Objective(smoothing: Float(settings.labelSmoothing))
        // The first fold's rate serves them all.
        let rate =
            try settings.learningRate
            ?? RangeTest.learningRate(try fresh(), features: features, targets: own, objective: objective, settings: settings)
        settings.learningRate = rate
        let network = try fresh()
        trainer = Trainer(network, features: features, targets: own, objective: objective, settings: settings, learningRate: rate)
        self.network = network
    }

    private mutating func answer(_ network: HeadNetwork, _ held: [Int]) throws {
        let logits = try network.evaluate(table, rows: held)
        let values = if case .labels = targets { Sigmoid()(logits).values } else { Softmax()(logits).values }
        for (position, row) in held.enumerated() {
            probabilities.replaceSubrange(
                row * outputs..<(row + 1) * outputs, with: values[position * outputs..<(position + 1) * outputs])
        }
    }
}
