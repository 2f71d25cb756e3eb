import CKernels
import Checkpoints
package import TensorCore

/// One head's outputs for its rows of one pass, with their history.
struct JointOutputs {
    let head: Int
    let rows: [Int]
    let outputs: Tensor
}

/// A step whose heads have answered and whose losses are awaited.
struct PendingStep {
    let passes: [[JointOutputs]]
    let sums: StepSums
}

/// What somebody who computes a loss is given: one head's outputs for its rows of a step, in order.
package struct JointQuestion {
    package let head: String
    /// `[rows, outputs]`
    package let outputs: Tensor
    package let targets: Targets
    /// The rows' places in the data set.
    package let rows: [Int]
}

/// And what is wanted of them: the mean loss, and its gradient by the outputs.
package struct JointAnswer {
    package let loss: Float
    package let gradients: Tensor

    package init(loss: Float, gradients: Tensor) {
        self.loss = loss
        self.gradients = gradients
    }
}

extension JointTrainer {
    /// - Throws: `TrainingError.notFinite`, after which training has finished with the weights of the best epoch or, before one has
    ///   ended, of a recent step.
    package func advance() throws -> JointUnit {
        if validation != nil { return try advanceValidation() }
        precondition(!heads.contains { $0.head.hasExternalLoss }, "somebody else computes a loss: beginStep, endStep")
        let passes = nextRows()
        var sums = StepSums(passes, heads)
        do {
            for (part, pass) in passes.enumerated() {
                // One pass at a time is in memory.
                try add(try forward(pass, part), to: &sums, [:], trainedGroups.flatMap(\.leaves))
            }
            return try finish(&sums)
        } catch let error as TrainingError {
            throw stop(error)
        }
    }

    /// The first half of a step: the heads' outputs. Returns what somebody else is to compute a loss of; it may be nothing. All
    /// passes of the step are in memory until `endStep`.
    package func beginStep() throws -> [JointQuestion] {
        let rows = nextRows(), passes = try rows.enumerated().map { try forward($1, $0) }
        pending = PendingStep(passes: passes, sums: StepSums(rows, heads))
        return heads.indices.filter { heads[$0].head.hasExternalLoss }.compactMap { head in
            let own = passes.flatMap { $0 }.filter { $0.head == head }, rows = own.flatMap(\.rows)
            guard !own.isEmpty else { return nil }
            let outputs = own.count == 1 ? own[0].outputs.detached : Concatenate(axis: 0).apply(own.map(\.outputs.detached))
            return JointQuestion(
                head: heads[head].head.name, outputs: outputs, targets: heads[head].head.targets.selecting(rows), rows: rows)
        }
    }

    /// Whether `endStep` is due.
    package var isInStep: Bool { pending != nil }
    /// Whether a part of a validation is due: `advance`.
    package var isValidating: Bool { validation != nil }

    /// The second half of a step, with an answer to each question, by head.
    ///
    /// - Throws: as `advance`.
    package func endStep(_ answers: [String: JointAnswer]) throws -> JointUnit {
        guard let pending else { preconditionFailure("endStep without beginStep") }
        self.pending = nil
        var sums = pending.sums
        do {
            for pass in pending.passes { try add(pass, to: &sums, answers, trainedGroups.flatMap(\.leaves)) }
            return try finish(&sums)
        } catch let error as TrainingError {
            throw stop(error)
        }
    }

    // MARK: Forward and backward

    /// The outputs of all heads that learn from these rows.
    private func forward(_ pass: [JointRows], _ part: Int) throws -> [JointOutputs] {
        let seed = settings.seed &+ UInt64(step &* settings.accumulation &+ part) &* 0x9e37_79b9
        let ofBody = pass.filter { datasets[$0.dataset].isOfBody }
        // One pass of the body for everybody.
        let shared = ofBody.isEmpty ? nil : try body?.features(ofBody, dropoutSeed: seed)
        var start = 0, result: [JointOutputs] = []
        for rows in pass {
            var features: Tensor?
            if let shared, datasets[rows.dataset].isOfBody {
                features = ofBody.count == 1 ? shared : Slice(axis: 0, start, start + rows.rows.count)(shared)
                start += rows.rows.count
            }
            for (index, head) in heads.enumerated() where head.head.dataset == rows.dataset && head.isFollowed {
                let dropoutSeed = seed &+ UInt64(index) &* 0xd1b5_4a32_d192_ed03
                let outputs: Tensor
                if let features {
                    outputs = try head.head.network(
                        head.movesBody ? features : features.detached, dropoutSeed: dropoutSeed)
                } else {
                    guard case .table(let table) = datasets[rows.dataset].features else { preconditionFailure("no body") }
                    outputs = try head.head.network(table.batch(rows.rows[...]), dropoutSeed: dropoutSeed)
                }
                result.append(JointOutputs(head: index, rows: rows.rows, outputs: outputs))
            }
        }
        return result
    }

    /// Adds a pass's losses and gradients.
    private func add(
        _ pass: [JointOutputs], to sums: inout StepSums, _ answers: [String: JointAnswer], _ bodyLeaves: [Tensor]
    ) throws {
        var losses: [(head: Int, loss: Tensor)] = []
        for own in pass {
            losses.append((own.head, try loss(own, &sums, answers)))
        }
        if separatesGradients {
            for (head, loss) in losses {
                let movesBody = heads[head].movesBody, leaves = (movesBody ? bodyLeaves : []) + heads[head].leaves
                let gradients = loss.gradients(for: leaves)
                if movesBody { sums.add(Array(gradients.prefix(bodyLeaves.count)), toBodyOf: head) }
                sums.add(Array(gradients.suffix(heads[head].leaves.count)), to: head)
            }
            return
        }
        guard !losses.isEmpty else { return }
        let weighted = losses.map { head, loss in
            let coefficient = lossWeight(head) * sums.share(head)
            return coefficient == 1 ? loss : Multiply()(loss, Tensor(scalar: coefficient))
        }
        let total = weighted.dropFirst().reduce(weighted[0]) { Add()($0, $1) }
        let movesBody = losses.contains { heads[$0.head].movesBody }, shared = movesBody ? bodyLeaves : []
        let gradients = total.gradients(for: shared + losses.flatMap { heads[$0.head].leaves })
        if movesBody { sums.add(Array(gradients.prefix(shared.count)), toBodyOf: 0) }
        var next = shared.count
        for (head, _) in losses {
            let count = heads[head].leaves.count
            sums.add(Array(gradients[next..<next + count]), to: head)
            next += count
        }
    }

    /// Whether each head's gradient of the body is needed for itself.
    private var separatesGradients: Bool { settings.balance == .gradnorm || settings.balance == .pcgrad }

    /// A pass's part of a head's mean loss of the step, as a scalar with history.
    private func loss(_ own: JointOutputs, _ sums: inout StepSums, _ answers: [String: JointAnswer]) throws -> Tensor {
        let head = heads[own.head].head, before = sums.seen[own.head]
        sums.seen[own.head] += own.rows.count
        if head.hasExternalLoss {
            guard let answer = answers[head.name] else { preconditionFailure("no answer for head '\(head.name)'") }
            try check(answer, head, rows: sums.counts[own.head], outputs: own.outputs.shape[1])
            sums.losses[own.head] = Double(answer.loss)
            // Its gradient by the weights is the answer's by the outputs, taken back.
            return Sum()(Multiply()(own.outputs, answer.gradients.rows(before..<before + own.rows.count).contiguous()))
        }
        let loss = head.network.loss(own.outputs, head.targets.selecting(own.rows), or: head.objective)
        guard loss.scalar.isFinite else {
            throw TrainingError(
                .notFinite, "the loss of head '\(head.name)' is \(loss.scalar.isNaN ? "not a number" : "infinite")",
                tensor: "loss")
        }
        let fraction = Float(own.rows.count) / Float(sums.counts[own.head])
        sums.losses[own.head] += Double(loss.scalar) * Double(own.rows.count) / Double(sums.counts[own.head])
        return fraction == 1 ? loss : Multiply()(loss, Tensor(scalar: fraction))
    }

    private func check(_ answer: JointAnswer, _ head: JointHead, rows: Int, outputs: Int) throws {
        precondition(
            answer.gradients.shape == [rows, outputs],
            "head '\(head.name)': gradients \(answer.gradients.shape) of outputs [\(rows), \(outputs)]")
        if !answer.loss.isFinite || FiniteCheck.firstBad([answer.gradients]) != nil {
            throw TrainingError(
                .notFinite, "the loss that was computed for head '\(head.name)', or its gradient, is infinite or not a number",
                tensor: "gradients")
        }
    }

    // MARK: The step

    private func finish(_ sums: inout StepSums) throws -> JointUnit {
        let present = heads.indices.filter { sums.headGradients[$0] != nil }
        if separatesGradients { combine(&sums, present) }
        let bodyGradients = sums.bodyGradients[0] ?? []
        var gradients = bodyGradients + present.flatMap { sums.headGradients[$0] ?? [] }
        if let bad = FiniteCheck.firstBad(gradients) {
            let name = parameterName(bad.tensor, ofBody: bodyGradients.count, present)
            throw TrainingError(
                .notFinite, "the gradient of \"\(name)\" is \(bad.value) at element \(bad.element)", tensor: name)
        }
        let norm = GradientClipping.norm(gradients)
        if let clipNorm = settings.clipNorm { gradients = GradientClipping.norm(largest: clipNorm)(gradients).gradients }
        var next = 0
        if !bodyGradients.isEmpty {
            for group in trainedGroups {
                let base = settings.bodyLearningRate * settings.decay(group.depth)
                group.optimiser.step(Array(gradients[next..<next + group.leaves.count]), learningRate: rate(base))
                next += group.leaves.count
            }
        }
        for index in present {
            let head = heads[index]
            head.optimiser.step(Array(gradients[next..<next + head.leaves.count]), learningRate: rate(settings.learningRate))
            next += head.leaves.count
        }
        learnWeights(sums, present)
        var losses: [String: Float] = [:]
        for index in present {
            losses[heads[index].head.name] = Float(sums.losses[index])
            heads[index].lossSum += sums.losses[index]
            heads[index].lossCount += 1
        }
        if givenRows == nil { position += 1 }
        step += 1
        if givenRows != nil ? step == totalSteps : position == stepsInEpoch { beginValidation() }
        return .step(losses: losses, gradientNorm: norm)
    }

    /// Makes one gradient of the body's of all heads, and weights the heads' own.
    private func combine(_ sums: inout StepSums, _ present: [Int]) {
        let shared = present.filter { sums.bodyGradients[$0] != nil }
        if gradNorm != nil {
            let top = trainedGroups.first?.leaves.count ?? 0
            sums.norms = shared.map { GradientClipping.norm(Array(sums.bodyGradients[$0]?.prefix(top) ?? [])) }
            sums.shared = shared
        }
        func scaled(_ gradients: [Tensor], _ head: Int) -> [Tensor] {
            // GradNorm's weights stand for the share as well: they even out what the heads' rows make of it.
            let coefficient = lossWeight(head) * (gradNorm == nil ? sums.share(head) : 1)
            return coefficient == 1 ? gradients : gradients.map { Multiply()($0, Tensor(scalar: coefficient)) }
        }
        let weighted = shared.map { scaled(sums.bodyGradients[$0] ?? [], $0) }
        for head in present { sums.headGradients[head] = scaled(sums.headGradients[head] ?? [], head) }
        sums.bodyGradients = heads.map { _ in nil }
        guard let first = weighted.first else { return }
        if settings.balance == .pcgrad, weighted.count > 1 {
            var random = Random(seed: settings.seed, stream: "conflicts of step \(step)")
            sums.bodyGradients[0] = ConflictingGradients.resolve(weighted, random: &random)
        } else {
            let total = first.map { Tensor($0.values, $0.shape) }
            for other in weighted.dropFirst() { ConflictingGradients.add(other, times: 1, to: total) }
            sums.bodyGradients[0] = total
        }
    }

    /// One step of the weights that the balance learns.
    private func learnWeights(_ sums: StepSums, _ present: [Int]) {
        if let uncertainty {
            let gradients = heads.indices.map { head in
                let slope = uncertainty.gradient(head, loss: Float(sums.losses[head])) * sums.share(head)
                return Tensor([present.contains(head) ? slope * Float(heads[head].head.weight) : 0], [1])
            }
            uncertaintyOptimiser?.step(gradients, learningRate: rate(settings.learningRate))
        }
        gradNorm?.update(present: sums.shared, losses: sums.shared.map { sums.losses[$0] }, norms: sums.norms)
    }

    private func parameterName(_ index: Int, ofBody count: Int, _ present: [Int]) -> String {
        if index < count { return trainedGroups.flatMap { $0.optimiser.parameters.map(\.name) }[index] }
        return present.flatMap { head in
            heads[head].head.network.parameters.map { "\(heads[head].head.name)/\($0.name)" }
        }[index - count]
    }

    /// Ends training with the last good weights.
    private func stop(_ error: TrainingError) -> TrainingError {
        let which: String
        if keptEpoch > 0 {
            which = "of epoch \(keptEpoch)"
        } else {
            which = kept.take() ? "before that step" : "of an earlier step"
        }
        kept.restore()
        for head in heads where !head.isOfBody && head.bestEpoch > 0 { head.kept.restore() }
        pending = nil
        isFinished = true
        return TrainingError(
            .notFinite,
            "Training diverged at step \(step + 1): \(error.message). The weights \(which) are kept. Try lower learning rates than "
                + "\(settings.learningRate) and \(settings.bodyLearningRate).",
            step: step + 1, tensor: error.tensor)
    }
}

/// Losses and gradients of a step as they are added up.
struct StepSums {
    /// Rows of the step by head; those of the passes added so far; rows of all data sets.
    let counts: [Int]
    var seen: [Int]
    private let rows: Int
    /// Mean losses by head.
    var losses: [Double]
    var headGradients: [[Tensor]?]
    /// Of the body, by head where each is needed for itself; all in the first place otherwise.
    var bodyGradients: [[Tensor]?]
    /// Of GradNorm: the heads that move the body, and the norms of their gradients.
    var shared: [Int] = [], norms: [Double] = []

    init(_ passes: [[JointRows]], _ heads: [TrainedHead]) {
        let all = passes.flatMap { $0 }
        counts = heads.map { head in
            all.filter { $0.dataset == head.head.dataset }.reduce(0) { $0 + $1.rows.count }
        }
        rows = all.reduce(0) { $0 + $1.rows.count }
        seen = heads.map { _ in 0 }
        losses = heads.map { _ in 0 }
        headGradients = heads.map { _ in nil }
        bodyGradients = heads.map { _ in nil }
    }

    /// The part of the step's rows that are a head's.
    func share(_ head: Int) -> Float { Float(counts[head]) / Float(max(rows, 1)) }

    mutating func add(_ gradients: [Tensor], to head: Int) { Self.add(gradients, to: &headGradients[head]) }
    mutating func add(_ gradients: [Tensor], toBodyOf head: Int) { Self.add(gradients, to: &bodyGradients[head]) }

    private static func add(_ gradients: [Tensor], to sums: inout [Tensor]?) {
        if let sums { ConflictingGradients.add(gradients, times: 1, to: sums) } else {
            // The tape's own are shared with nobody, but an op may have returned one tensor twice.
            sums = gradients.count == 1 ? gradients : gradients.map { Tensor($0.values, $0.shape) }
        }
    }
}
