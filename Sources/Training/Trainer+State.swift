import Checkpoints
import TensorCore

/// What of a trainer's state is not a tensor.
private struct TrainerFacts: Codable {
    let settings: TrainingSettings
    let learningRate: Double
    let rows: Int
    let step: Int, bestEpoch: Int
    let bestScore: Double
    let isFinished: Bool
    let history: [Trainer.Epoch]
    let lossSum: Double
    let optimiserSteps: Int, averageSteps: Int
}

extension Trainer {
    /// Everything the rest of the training depends on, between two steps.
    package func state() throws -> JointState {
        let optimiser = optimiserState
        let facts = TrainerFacts(
            settings: settings, learningRate: learningRate, rows: features.rows, step: step, bestEpoch: bestEpoch,
            bestScore: bestScore, isFinished: isFinished, history: history, lossSum: lossSum,
            optimiserSteps: optimiser.steps, averageSteps: average?.steps ?? 0)
        var state = JointState(tensors: [:], facts: try JointState.encode(facts))
        for (values, prefix) in stateTensors { state.store(values, prefix, stateNames) }
        state.store(optimiser, "optimiser")
        return state
    }

    /// Goes on where `state` was taken, bit for bit. An epoch whose validation was still due has it due again.
    ///
    /// - Throws: `TrainingError.stateMismatch`; nothing has changed then.
    package func restore(_ state: JointState) throws {
        let facts = try state.decode(TrainerFacts.self)
        guard facts.settings == settings, facts.learningRate == learningRate, facts.rows == features.rows else {
            throw JointState.mismatch("its settings or its \(facts.rows) rows are others")
        }
        let found = try stateTensors.map { ($0.values, try state.find($0.values, $0.prefix, stateNames)) }
        let optimiser = state.optimiser(optimiserState.optimiser, steps: facts.optimiserSteps, "optimiser")
        switch method {
        case .own(let step): try step.restore(optimiser)
        case .external(let verbs): try verbs.restore(optimiser)
        }
        for (own, saved) in found { for (tensor, value) in zip(own, saved) { tensor.take(value) } }
        (step, bestEpoch, bestScore) = (facts.step, facts.bestEpoch, facts.bestScore)
        (isFinished, history, lossSum) = (facts.isFinished, facts.history, facts.lossSum)
        average?.steps = facts.averageSteps
        if step % stepsPerEpoch != 0 { order = orderOfEpoch() }
    }

    private var optimiserState: OptimiserState {
        switch method {
        case .own(let step): step.optimiserState
        case .external(let verbs): verbs.optimiserState
        }
    }

    private var stateNames: [String] { network.parameters.map(\.name) + network.buffers.indices.map { "buffer \($0)" } }

    private var stateTensors: [(values: [Tensor], prefix: String)] {
        var result = [(leaves + network.buffers, "weight"), (kept.copies, "kept")]
        if let average { result.append((average.averages, "average")) }
        return result
    }
}
