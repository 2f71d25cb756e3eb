package import TensorCore

/// A validation in progress: the rows that are left, and the heads' outputs so far.
struct JointValidation {
    /// Rows that go through the body at a time.
    static let block = 64

    var blocks: [JointRows]
    let total: Int
    var done = 0
    /// By head, block by block.
    var outputs: [[Tensor]]

    init(_ splits: [Split], heads: [TrainedHead]) {
        blocks = splits.enumerated().flatMap { dataset, split -> [JointRows] in
            guard heads.contains(where: { $0.head.dataset == dataset && $0.isFollowed }) else { return [] }
            return stride(from: 0, to: split.held.count, by: Self.block).map {
                JointRows(dataset: dataset, rows: Array(split.held[$0..<min($0 + Self.block, split.held.count)]))
            }
        }
        total = blocks.reduce(0) { $0 + $1.rows.count }
        outputs = heads.map { _ in [] }
    }
}

extension JointTrainer {
    func beginValidation() { validation = JointValidation(splits, heads: heads) }

    func advanceValidation() throws -> JointUnit {
        guard var current = validation else { preconditionFailure("no validation is due") }
        if let block = current.blocks.first {
            current.blocks.removeFirst()
            try evaluate(block, &current)
            current.done += block.rows.count
            validation = current
            if !current.blocks.isEmpty { return .validation(done: current.done, of: current.total) }
        }
        return needsScores ? .needsScores : .epoch(try finishEpoch())
    }

    private func evaluate(_ block: JointRows, _ validation: inout JointValidation) throws {
        let shared = datasets[block.dataset].isOfBody ? try body?.evaluate([block]) : nil
        for (index, head) in heads.enumerated() where head.head.dataset == block.dataset && head.isFollowed {
            let outputs: Tensor
            if let shared {
                outputs = try head.head.network(shared, dropoutSeed: nil)
            } else {
                guard case .table(let table) = datasets[block.dataset].features else { preconditionFailure("no body") }
                outputs = try head.head.network(table.batch(block.rows[...]), dropoutSeed: nil)
            }
            validation.outputs[index].append(outputs.detached)
        }
    }

    /// Whether the validation rows have been computed and somebody else has to measure them.
    package var needsScores: Bool {
        guard let validation, validation.blocks.isEmpty else { return false }
        return heads.contains { $0.head.hasExternalScore && $0.isFollowed && !splits[$0.head.dataset].held.isEmpty }
    }

    /// Outputs `[rows, outputs]` and targets of a head's validation rows; nil when it has none.
    package func validationOutputs(_ head: Int) -> (outputs: Tensor, targets: Targets)? {
        guard let outputs = validation?.outputs[head], !outputs.isEmpty else { return nil }
        let all = outputs.count == 1 ? outputs[0] : Concatenate(axis: 0).apply(outputs)
        return (all.contiguous(), heads[head].head.targets.selecting(splits[heads[head].head.dataset].held))
    }

    /// Ends an epoch, with the scores that somebody else has measured, by head.
    @discardableResult
    package func finishEpoch(scores: [String: Double] = [:]) throws -> [String: Trainer.Epoch] {
        precondition(validation?.blocks.isEmpty == true, "the validation is not complete")
        epoch += 1
        var epochs: [String: Trainer.Epoch] = [:]
        for (index, head) in heads.enumerated() where head.isFollowed {
            let loss = head.lossCount == 0 ? 0 : head.lossSum / Double(head.lossCount), score: Double
            if let external = scores[head.head.name] {
                score = external
            } else if let (outputs, targets) = validationOutputs(index) {
                score = ValidationScore.of(outputs, targets, head.head.network, head.head.objective)
            } else {
                score = -loss
            }
            let record = Trainer.Epoch(number: epoch, step: step, loss: loss, score: score)
            head.history.append(record)
            epochs[head.head.name] = record
            if score > head.bestScore || head.bestEpoch == 0 {
                head.bestScore = score.isNaN ? -.infinity : score
                head.bestEpoch = epoch
                if !head.isOfBody, head.kept.take() { head.keptScore = head.bestScore }
            }
            if epoch - head.bestEpoch >= settings.patience { settle(head) }
        }
        keepIfBetter()
        validation = nil
        for (dataset, quota) in order.quotas.enumerated() { drawn[dataset] += quota }
        if epoch == settings.epochs || heads.allSatisfy(\.hasSettled) || givenRows != nil {
            if givenRows == nil { restoreKept() }
            isFinished = true
        } else {
            beginEpoch()
        }
        return epochs
    }

    private func settle(_ head: TrainedHead) {
        head.hasSettled = true
        if !head.isOfBody { head.kept.restore() }
    }

    /// Keeps the body and its heads when this epoch is better than the one kept: by the weighted mean of the relative changes of
    /// the heads' scores, which have different units.
    private func keepIfBetter() {
        let own = heads.filter(\.isOfBody)
        guard !own.isEmpty else { return }
        var change = 0.0
        for head in own {
            let score = head.history.last?.score ?? -.infinity
            guard score.isFinite, head.keptScore.isFinite else {
                change += score.isFinite ? head.head.weight : score == head.keptScore ? 0 : -head.head.weight
                continue
            }
            change += head.head.weight * (score - head.keptScore) / max(abs(head.keptScore), 1e-3)
        }
        guard change > 0 || keptEpoch == 0, kept.take() else { return }
        keptEpoch = epoch
        for head in own { head.keptScore = head.history.last?.score ?? -.infinity }
    }

    private func restoreKept() {
        if keptEpoch > 0 { kept.restore() }
        for head in heads where !head.isOfBody && head.bestEpoch > 0 { head.kept.restore() }
    }
}
