import Checkpoints
import TensorCore

/// What of a joint training is not a tensor.
private struct JointFacts: Codable {
    struct Head: Codable {
        let history: [Trainer.Epoch]
        let bestEpoch: Int
        let bestScore: Double, keptScore: Double
        let hasSettled: Bool
        let lossSum: Double
        let lossCount: Int
        let optimiserSteps: Int
    }

    /// Of what it belongs to.
    let settings: JointSettings
    let datasets: [String]
    let step: Int, epoch: Int, position: Int
    let isFinished: Bool
    let drawn: [Int]
    let keptEpoch: Int
    let heads: [Head]
    let bodySteps: [Int]
    let uncertaintySteps: Int
    let gradNormWeights: [Double]
    let gradNormFirstLosses: [Double?]
}

extension JointTrainer {
    /// A step, or a validation, that has begun is begun again.
    package func state() throws -> JointState {
        let facts = JointFacts(
            settings: settings, datasets: datasetFacts, step: step, epoch: epoch, position: position,
            isFinished: isFinished, drawn: drawn, keptEpoch: keptEpoch,
            heads: heads.map {
                JointFacts.Head(
                    history: $0.history, bestEpoch: $0.bestEpoch, bestScore: $0.bestScore, keptScore: $0.keptScore,
                    hasSettled: $0.hasSettled, lossSum: $0.lossSum, lossCount: $0.lossCount,
                    optimiserSteps: $0.optimiser.memory.steps)
            },
            bodySteps: groups.map(\.optimiser.memory.steps),
            uncertaintySteps: uncertaintyOptimiser?.memory.steps ?? 0,
            gradNormWeights: gradNorm?.weights ?? [], gradNormFirstLosses: gradNorm?.firstLosses ?? [])
        var state = JointState(tensors: [:], facts: try JointState.encode(facts))
        for (values, prefix, names) in tensors { state.store(values, prefix, names) }
        for (optimiser, prefix) in optimisers { state.store(optimiser.state, prefix) }
        return state
    }

    package func restore(_ state: JointState) throws {
        let facts = try state.decode(JointFacts.self)
        guard facts.settings == settings else { throw JointState.mismatch("its settings are others") }
        guard facts.datasets == datasetFacts, facts.heads.count == heads.count, facts.bodySteps.count == groups.count,
            facts.drawn.count == datasets.count, facts.gradNormWeights.count == gradNorm?.weights.count ?? 0,
            facts.gradNormFirstLosses.count == facts.gradNormWeights.count
        else { throw JointState.mismatch("its data sets or heads are others: \(facts.datasets.joined(separator: "; "))") }
        // Everything is looked up before anything changes.
        let found = try tensors.map { ($0.values, try state.find($0.values, $0.prefix, $0.names)) }
        let steps = facts.bodySteps + facts.heads.map(\.optimiserSteps) + [facts.uncertaintySteps]
        var restored = optimisers.map(\.optimiser)
        for index in restored.indices {
            let name = type(of: restored[index]).name
            try restored[index].restore(state.optimiser(name, steps: steps[index], optimisers[index].prefix))
        }
        for (own, saved) in found { for (tensor, value) in zip(own, saved) { tensor.take(value) } }
        for (index, group) in groups.enumerated() { group.optimiser = restored[index] }
        for (index, head) in heads.enumerated() {
            head.optimiser = restored[groups.count + index]
            let own = facts.heads[index]
            head.history = own.history
            (head.bestEpoch, head.bestScore, head.keptScore) = (own.bestEpoch, own.bestScore, own.keptScore)
            head.hasSettled = own.hasSettled
        }
        if uncertaintyOptimiser != nil { uncertaintyOptimiser = restored[restored.count - 1] as? AdamW }
        gradNorm?.weights = facts.gradNormWeights
        gradNorm?.firstLosses = facts.gradNormFirstLosses
        (step, epoch, keptEpoch) = (facts.step, facts.epoch, facts.keptEpoch)
        (drawn, isFinished, validation, pending) = (facts.drawn, facts.isFinished, nil, nil)
        beginEpoch()
        position = facts.position
        for (index, head) in heads.enumerated() {
            (head.lossSum, head.lossCount) = (facts.heads[index].lossSum, facts.heads[index].lossCount)
        }
        if !isFinished, position == stepsInEpoch { beginValidation() }
    }

    private var datasetFacts: [String] {
        zip(datasets, splits).map { "\($0.name): \($1.kept.count) + \($1.held.count) rows" }
    }

    /// All tensors that are saved, optimisers' apart, with their names.
    private var tensors: [(values: [Tensor], prefix: String, names: [String])] {
        let groupNames = groups.map { $0.optimiser.parameters.map(\.name) }
        var result = zip(groups, groupNames).map { ($0.leaves, "body", $1) }
        var keptNames = groupNames.flatMap { $0.map { "body/\($0)" } }
        for head in heads {
            let buffers = head.head.network.buffers
            let names = head.head.network.parameters.map(\.name) + buffers.indices.map { "buffer \($0)" }
            result.append((head.leaves + buffers, "head/\(head.head.name)", names))
            if head.isOfBody { keptNames += names.map { "head/\(head.head.name)/\($0)" } } else {
                result.append((head.kept.copies, "kept/head/\(head.head.name)", names))
            }
        }
        result.append((kept.copies, "kept", keptNames))
        if let uncertainty { result.append((uncertainty.parameters.map(\.value), "balance", uncertainty.parameters.map(\.name))) }
        return result
    }

    private var optimisers: [(optimiser: any Optimiser, prefix: String)] {
        var result: [(any Optimiser, String)] = groups.map { ($0.optimiser, "optimiser/body/\($0.depth)") }
        result += heads.map { ($0.optimiser, "optimiser/head/\($0.head.name)") }
        if let uncertaintyOptimiser { result.append((uncertaintyOptimiser, "optimiser/balance")) }
        return result
    }
}
