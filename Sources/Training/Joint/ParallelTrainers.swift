import TensorCore

/// Heads that share nothing that is trained: each has its own trainer, and they run side by side on the cores. A head gets the
/// same bytes as when it is trained alone.
package final class ParallelTrainers: HeadsTraining {
    package let headNames: [String]
    package let trainers: [Trainer]
    /// Trainers that are not asked to advance: whoever computes their loss drives them.
    private let isDrivenOutside: [Bool]

    /// - Parameter drivenOutside: names of heads whose steps the caller makes, by `Trainer.beginStep` and `endStep`.
    /// - Throws: `TrainingError.invalidSettings` when two heads have one name.
    package init(_ trainers: [(name: String, trainer: Trainer)], drivenOutside: Set<String> = []) throws {
        headNames = trainers.map(\.name)
        if trainers.isEmpty { throw TrainingError(.invalidSettings, "There is no head to train.") }
        for (index, name) in headNames.enumerated() where headNames.firstIndex(of: name) != index {
            throw TrainingError(.invalidSettings, "Two heads are named '\(name)'. Give one of them another name.")
        }
        self.trainers = trainers.map(\.trainer)
        isDrivenOutside = headNames.map(drivenOutside.contains)
    }

    package var step: Int { trainers.map(\.step).max() ?? 0 }
    package var totalSteps: Int { trainers.map(\.totalSteps).max() ?? 0 }
    package var isFinished: Bool { trainers.allSatisfy(\.isFinished) }
    package func history(_ head: Int) -> [Trainer.Epoch] { trainers[head].history }
    package func bestEpoch(_ head: Int) -> Int { trainers[head].bestEpoch }
    package func bestScore(_ head: Int) -> Double { trainers[head].bestScore }

    /// One step of each head that has not finished, one head to a thread.
    ///
    /// - Throws: the error of the first head that has one, with its name; the others have made their steps.
    package func advance() throws -> JointUnit { try advance(steps: 1) }

    /// Up to `steps` steps of each: what is between two looks at what else there is to do.
    package func advance(steps: Int) throws -> JointUnit {
        let due = trainers.indices.filter { !trainers[$0].isFinished && !isDrivenOutside[$0] }
        var results = due.map { _ in Result<Float, any Error>.success(0) }
        if due.count == 1 {
            results[0] = Result { try Self.advance(trainers[due[0]], steps) }
        } else {
            // Inside a part, what a step divides among the threads runs on the part's own.
            results.withUnsafeMutableBufferPointer { results in
                let results = results, trainers = trainers
                WorkerPool.shared.parallel(due.count) { part in
                    results[part] = Result { try Self.advance(trainers[due[part]], steps) }
                }
            }
        }
        var losses: [String: Float] = [:]
        for (head, result) in zip(due, results) {
            do {
                losses[headNames[head]] = try result.get()
            } catch var error as TrainingError {
                error.message = "Head '\(headNames[head])': \(error.message)"
                throw error
            }
        }
        return .step(losses: losses, gradientNorm: nil)
    }

    private static func advance(_ trainer: Trainer, _ steps: Int) throws -> Float {
        var loss: Float = 0
        for _ in 0..<steps where !trainer.isFinished { loss = try trainer.advance() }
        return loss
    }

    // MARK: State

    package func state() throws -> JointState {
        var tensors: [String: Tensor] = [:], facts: [String: String] = [:]
        for (name, trainer) in zip(headNames, trainers) {
            let own = try trainer.state()
            facts[name] = own.facts
            for (key, tensor) in own.tensors { tensors["\(name)/\(key)"] = tensor }
        }
        return JointState(tensors: tensors, facts: try JointState.encode(facts))
    }

    /// - Throws: `TrainingError.stateMismatch`; heads before the one that does not fit have been restored then.
    package func restore(_ state: JointState) throws {
        let facts = try state.decode([String: String].self)
        guard Set(facts.keys) == Set(headNames) else {
            throw JointState.mismatch("it has the heads \(facts.keys.sorted().joined(separator: ", "))")
        }
        for (name, trainer) in zip(headNames, trainers) {
            let prefix = "\(name)/"
            let own = state.tensors.filter { $0.key.hasPrefix(prefix) }.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
            try trainer.restore(
                JointState(tensors: Dictionary(uniqueKeysWithValues: own), facts: facts[name] ?? ""))
        }
    }
}
