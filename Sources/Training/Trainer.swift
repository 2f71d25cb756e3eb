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
    package internal(set) var step = 0
    package internal(set) var isFinished = false
    package internal(set) var bestEpoch = 0
    package internal(set) var bestScore: Double
    /// Mean training loss and validation score of each finished epoch.
    package internal(set) var history: [Epoch] = []

    package struct Epoch: Sendable, Codable, Equatable {
        package let number: Int, step: Int
        package let loss: Double
        /// Higher is better: accuracy, micro-F1 or the negative mean squared error; without validation rows the negative loss.
        package let score: Double
    }

    /// How steps are made.
    enum Method {
        case own(any TrainingStep)
        /// Somebody else computes the loss: `beginStep`, `endStep`.
        case external(VerbTraining)
    }

    let network: any Network
    let features: FeatureTable
    private let targets: Targets
    private let objective: Objective
    private let schedule: Schedule
    let method: Method
    var average: WeightAverage?
    package let stepsPerEpoch: Int
    var order: [Int] = []
    var lossSum = 0.0
    let leaves: [Tensor]
    /// The weights that stay: the best epoch's or, before an epoch has ended, those of a recent step.
    let kept: WeightSnapshot
    /// Steps between two snapshots before the first epoch has ended.
    private static let snapshotInterval = 64

    /// `optimiser` is of the network's parameters, in their order; AdamW with the settings' weight decay when nil.
    ///
    /// - Parameters:
    ///   - split: which rows are learnt from and which validate; nil: drawn by the settings.
    ///   - hasExternalLoss: the steps are made by `beginStep` and `endStep`, not by `advance`.
    package init(
        _ network: any Network, features: FeatureTable, targets: Targets, objective: Objective,
        settings: TrainingSettings,
        learningRate: Double, optimiser: (any Optimiser)? = nil, split: Split? = nil, hasExternalLoss: Bool = false
    ) {
        precondition(features.rows == targets.rows, "\(features.rows) rows of features, \(targets.rows) targets")
        self.network = network
        self.features = features
        self.targets = targets
        self.objective = objective
        self.settings = settings
        self.learningRate = learningRate
        self.split = split ?? Split(targets, share: settings.validation, seed: settings.seed, purpose: "validation")
        let rowsPerStep = settings.batchSize * settings.accumulation
        stepsPerEpoch = max(1, (self.split.kept.count + rowsPerStep - 1) / rowsPerStep)
        totalSteps = stepsPerEpoch * settings.epochs
        schedule = .cosine(warmup: Int((Double(totalSteps) * settings.warmup).rounded()), total: totalSteps)
        let optimiser = optimiser ?? AdamW(network.parameters, weightDecay: Float(settings.weightDecay))
        precondition(
            optimiser.parameters.map(\.name) == network.parameters.map(\.name),
            "the optimiser has other parameters than the network")
        if hasExternalLoss {
            method = .external(
                VerbTraining(network, optimiser: optimiser, clipNorm: settings.clipNorm, seed: settings.seed))
        } else {
            method = .own(
                LinearStep(
                    network, features: features, targets: targets, objective: objective, settings: settings,
                    optimiser: optimiser)
                    ?? TapeStep(
                        network, features: features, targets: targets, objective: objective, settings: settings,
                        optimiser: optimiser))
        }
        average = settings.averageDecay.map { WeightAverage(network.parameters, decay: $0) }
        leaves = network.parameters.map(\.value)
        kept = WeightSnapshot(leaves + network.buffers)
        bestScore = -.infinity
    }

    package var epoch: Int { min(step / stepsPerEpoch, settings.epochs - 1) + 1 }

    /// One optimiser step; at the end of an epoch also its validation. Returns the step's loss.
    ///
    /// - Throws: `TrainingError.notFinite` when the loss or a gradient is infinite or not a number. Training has finished then, with
    ///   the last good weights: the best epoch's or, before an epoch has ended, those before the step.
    @discardableResult
    package func advance() throws -> Float {
        let loss = try advanceWithoutValidation()
        if isAtEpochEnd { try finishEpoch() }
        return loss
    }

    /// One optimiser step; `finishEpoch` is its caller's business.
    @discardableResult
    package func advanceWithoutValidation() throws -> Float {
        guard case .own(let method) = method else { preconditionFailure("somebody else computes the loss of these steps") }
        let rows = nextRows(), loss: Float
        do {
            loss = try method.take(rows, step: step, learningRate: nextRate)
        } catch let divergence as Divergence {
            throw stop(divergence)
        }
        complete(loss)
        return loss
    }

    /// Rows of the next step.
    private func nextRows() -> ArraySlice<Int> {
        precondition(!isFinished, "training has finished")
        let position = step % stepsPerEpoch
        if position == 0 {
            order = orderOfEpoch()
            lossSum = 0
        }
        if bestEpoch == 0, step % Self.snapshotInterval == 0 { kept.take() }
        let size = settings.batchSize * settings.accumulation
        return order[position * size..<min((position + 1) * size, order.count)]
    }

    /// The rows in the order in which the present epoch takes them.
    func orderOfEpoch() -> [Int] {
        var random = Random(seed: settings.seed, stream: "epoch \(step / stepsPerEpoch)")
        return random.permutation(split.kept.count).map { split.kept[$0] }
    }

    /// The schedule starts at 0; the first step should already move.
    private var nextRate: Float { schedule.rate(step + 1, base: learningRate) }

    private func complete(_ loss: Float) {
        average?.update()
        step += 1
        lossSum += Double(loss)
    }

    // MARK: A loss that somebody else computes

    /// Outputs `[rows, outputs]` of the next step's rows, and their targets.
    package func beginStep() throws -> (outputs: Tensor, targets: Targets) {
        guard case .external(let verbs) = method else { preconditionFailure("these steps compute their own loss") }
        let rows = nextRows()
        return (try verbs.forward(features.batch(rows)), targets.selecting(rows))
    }

    /// Ends the step with the rows' mean loss and its gradients by the outputs. After an epoch's last step, see `isAtEpochEnd`.
    ///
    /// - Throws: as `advance`.
    package func endStep(loss: Float, gradients: Tensor) throws {
        guard case .external(let verbs) = method else { preconditionFailure("these steps compute their own loss") }
        do { try verbs.backward(gradients) } catch let error as TrainingError {
            throw stop(tensor: error.tensor ?? "gradients", error.message, "Check the loss, or try a lower learning rate than \(learningRate).")
        }
        _ = verbs.step(learningRate: nextRate)
        complete(loss)
    }

    /// Whether `finishEpoch` is due.
    package var isAtEpochEnd: Bool { step > 0 && step % stepsPerEpoch == 0 && history.count < step / stepsPerEpoch }

    /// Outputs and targets of the validation rows; nil when there are none.
    package func validationOutputs() throws -> (outputs: Tensor, targets: Targets)? {
        guard !split.held.isEmpty else { return nil }
        return (try network.evaluate(features, rows: split.held), targets.selecting(split.held))
    }

    private func stop(_ divergence: Divergence) -> TrainingError {
        switch divergence {
        case .loss(let loss, let batch): return stop(loss, batch)
        case .gradient(let parameter, let element, let value):
            let name = network.parameters[parameter].name
            return stop(
                tensor: name, "the gradient of \"\(name)\" is \(value) at element \(element)",
                "Try a lower learning rate than \(learningRate).")
        }
    }

    private func stop(_ loss: Float, _ batch: ArraySlice<Int>) -> TrainingError {
        let kind = loss.isNaN ? "not a number" : "infinite"
        var advice = "Try a lower learning rate than \(learningRate).", row: Int?
        if let bad = features.firstBad(batch) {
            advice = "The features of training row \(bad.row + 1) contain \(bad.value); remove or repair that input."
            row = bad.row
        }
        var error = stop(tensor: "loss", "the loss is \(kind)", advice)
        error.row = row
        return error
    }

    /// Ends training with the last good weights.
    private func stop(tensor: String, _ what: String, _ advice: String) -> TrainingError {
        let which: String
        if bestEpoch > 0 {
            which = "of epoch \(bestEpoch)"
        } else {
            // Those before the step, if they are finite: a step's own numbers may have overflowed.
            which = kept.take() ? "before that step" : "of an earlier step"
        }
        kept.restore()
        isFinished = true
        return TrainingError(
            .notFinite, "Training diverged at step \(step + 1): \(what). The weights \(which) are kept. \(advice)",
            step: step + 1, tensor: tensor)
    }

    /// Ends an epoch.
    ///
    /// - Parameter external: the score of the validation rows, if somebody else measures them.
    package func finishEpoch(score external: Double? = nil) throws {
        let number = step / stepsPerEpoch, loss = lossSum / Double(stepsPerEpoch)
        let score = try average.map { try $0.withAverages { try validate(number, loss, external) } } ?? validate(number, loss, external)
        history.append(Epoch(number: number, step: step, loss: loss, score: score))
        guard number == settings.epochs || number - bestEpoch >= settings.patience else { return }
        if bestEpoch == 0, let bad = FiniteCheck.firstBad(leaves) {
            step -= 1
            let name = network.parameters[bad.tensor].name
            throw stop(
                tensor: name, "\"\(name)\" became \(bad.value) at element \(bad.element)",
                "Try a lower learning rate than \(learningRate).")
        }
        kept.restore()
        isFinished = true
    }

    /// Validates the weights in place, and keeps them if they are the best so far. Returns their score.
    private func validate(_ number: Int, _ loss: Double, _ external: Double?) throws -> Double {
        let score = try external ?? (split.held.isEmpty ? -loss : validationScore())
        if score > bestScore || bestEpoch == 0, kept.take() {
            bestScore = score.isNaN ? -.infinity : score
            bestEpoch = number
        }
        return score
    }

    private func validationScore() throws -> Double {
        ValidationScore.of(
            try network.evaluate(features, rows: split.held), targets.selecting(split.held), network, objective)
    }
}

extension Network {
    /// Outputs `[rows, outputs]` without history, in blocks that keep memory small.
    package func evaluate(_ features: FeatureTable, rows: [Int]) throws -> Tensor {
        var blocks: [Tensor] = []
        for start in stride(from: 0, to: rows.count, by: 1024) {
            blocks.append(
                try self(features.batch(rows[start..<min(start + 1024, rows.count)]), dropoutSeed: nil).detached)
        }
        guard let first = blocks.first else { return Tensor(uninitialised: [0, 0]) }
        // As many as rows, or as their words.
        let result = Tensor(uninitialised: [blocks.reduce(0) { $0 + $1.shape[0] }, first.shape[1]])
        var row = 0
        for block in blocks {
            result.mutablePointer.advanced(by: row * first.shape[1]).update(
                from: block.contiguous().pointer, count: block.count)
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
