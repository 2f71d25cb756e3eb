import Checkpoints
package import TensorCore

/// Trains a network on a feature table, one step at a time, so that its owner decides what runs between steps.
///
/// AdamW with warm-up and cosine decay; a validation split decides when to stop and which epoch's weights stay. Everything
/// random comes from the seed: the same data and settings give the same bytes.
package final class Trainer {
    package let settings: TrainingSettings
    package let learningRate: Double
    package let split: Split
    package let totalSteps: Int
    package private(set) var step = 0
    package private(set) var isFinished = false
    package private(set) var bestEpoch = 0
    package private(set) var bestScore: Double
    /// Mean training loss and validation score of each finished epoch.
    package private(set) var history: [Epoch] = []

    package struct Epoch: Sendable, Codable, Equatable {
        package let number: Int, step: Int
        package let loss: Double
        /// Higher is better: accuracy, micro-F1 or the negative mean squared error; without validation rows the negative loss.
        package let score: Double
    }

    private let network: any Network
    private let features: FeatureTable
    private let targets: Targets
    private let objective: Objective
    private let schedule: CosineSchedule
    private var optimiser: AdamW
    package let stepsPerEpoch: Int
    private var order: [Int] = []
    private var lossSum = 0.0
    private var bestWeights: [Tensor] = []
    private let leaves: [Tensor]

    package init(
        _ network: any Network, features: FeatureTable, targets: Targets, objective: Objective, settings: TrainingSettings,
        learningRate: Double
    ) {
        precondition(features.rows == targets.rows, "\(features.rows) rows of features, \(targets.rows) targets")
        self.network = network
        self.features = features
        self.targets = targets
        self.objective = objective
        self.settings = settings
        self.learningRate = learningRate
        split = Split(targets, share: settings.validation, seed: settings.seed, purpose: "validation")
        stepsPerEpoch = max(1, (split.kept.count + settings.batchSize - 1) / settings.batchSize)
        totalSteps = stepsPerEpoch * settings.epochs
        schedule = CosineSchedule(
            base: learningRate, warmup: Int((Double(totalSteps) * settings.warmup).rounded()), total: totalSteps)
        optimiser = AdamW(network.parameters, weightDecay: Float(settings.weightDecay))
        leaves = network.parameters.map(\.value)
        bestScore = -.infinity
    }

    package var epoch: Int { min(step / stepsPerEpoch, settings.epochs - 1) + 1 }

    /// One optimiser step; at the end of an epoch also its validation. Returns the step's loss.
    @discardableResult
    package func advance() -> Float {
        precondition(!isFinished, "training has finished")
        let position = step % stepsPerEpoch
        if position == 0 {
            var random = Random(seed: settings.seed, stream: "epoch \(step / stepsPerEpoch)")
            order = random.permutation(split.kept.count).map { split.kept[$0] }
            lossSum = 0
        }
        let batch = order[position * settings.batchSize..<min((position + 1) * settings.batchSize, order.count)]
        let outputs = network(features.gather(batch), dropoutSeed: settings.seed &+ UInt64(step) &* 0x9e37_79b9)
        let loss = objective(outputs, targets.selecting(batch))
        // The schedule starts at 0; the first step should already move.
        optimiser.step(loss.gradients(for: leaves), learningRate: schedule.rate(step + 1))
        step += 1
        lossSum += Double(loss.scalar)
        if step % stepsPerEpoch == 0 { finishEpoch() }
        return loss.scalar
    }

    private func finishEpoch() {
        let number = step / stepsPerEpoch, loss = lossSum / Double(stepsPerEpoch)
        let score = split.held.isEmpty ? -loss : validationScore()
        history.append(Epoch(number: number, step: step, loss: loss, score: score))
        if score > bestScore || bestWeights.isEmpty {
            bestScore = score
            bestEpoch = number
            bestWeights = leaves.map { Tensor($0.values, $0.shape) }
        }
        if number == settings.epochs || number - bestEpoch >= settings.patience || !loss.isFinite { finish() }
    }

    /// Ends training with the best epoch's weights.
    private func finish() {
        for (leaf, best) in zip(leaves, bestWeights) { leaf.mutablePointer.update(from: best.pointer, count: best.count) }
        isFinished = true
    }

    private func validationScore() -> Double {
        let outputs = network.evaluate(features, rows: split.held)
        switch targets.selecting(split.held) {
        case .classes(let classes):
            let width = outputs.shape[1]
            var correct = 0
            for (row, truth) in classes.enumerated() where outputs.pointer.indexOfLargest(row * width, width) == Int(truth) {
                correct += 1
            }
            // Ties are frequent on few rows; the loss decides between them.
            let loss = Double(objective(outputs, targets.selecting(split.held)).scalar)
            return Double(correct) / Double(classes.count) - 1e-6 * min(loss, 1e3)
        case .labels(let flags, let count):
            let names = (0..<count).map(String.init)
            return Metrics.multilabel(
                predicted: outputs.values.map { $0 > 0 }, actual: flags.map { $0 > 0.5 }, labels: names
            ).metrics["micro_f1"] ?? 0
        case .values:
            return -Double(objective(outputs, targets.selecting(split.held)).scalar)
        }
    }
}

extension Network {
    /// Outputs `[rows, outputs]` without history, in blocks that keep memory small.
    package func evaluate(_ features: FeatureTable, rows: [Int]) -> Tensor {
        var blocks: [Tensor] = []
        for start in stride(from: 0, to: rows.count, by: 1024) {
            blocks.append(self(features.gather(rows[start..<min(start + 1024, rows.count)]), dropoutSeed: nil).detached)
        }
        guard let first = blocks.first else { return Tensor(uninitialised: [0, 0]) }
        let result = Tensor(uninitialised: [rows.count, first.shape[1]])
        var row = 0
        for block in blocks {
            result.mutablePointer.advanced(by: row * first.shape[1]).update(from: block.contiguous().pointer, count: block.count)
            row += block.shape[0]
        }
        return result
    }
}

extension UnsafePointer<Float> {
    /// Position, counted from `start`, of the largest of `count` values; the first of equals.
    package func indexOfLargest(_ start: Int, _ count: Int) -> Int {
        var best = 0
        for i in 1..<Swift.max(count, 1) where self[start + i] > self[start + best] { best = i }
        return best
    }
}
