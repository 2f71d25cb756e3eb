import Glibc

/// Negative log-likelihood of tag sequences under a linear-chain conditional random field (Lafferty et al. 2001).
///
/// Inputs: emissions `[batch, length, tags]`, start `[tags]`, end `[tags]` and transitions `[tags, tags]`, from row to column.
/// A score is the start of the first tag, the emissions, the transitions between neighbours and the end of the last tag. Only
/// positions with a mask of true exist; a sequence without any has loss 0. `mean` divides by the number of sequences or, on
/// request, of existing positions.
package struct LinearChainCRF: DifferentiableOp {
    package static let name = "crf"
    /// What the mean is taken over.
    package enum Unit: Sendable { case sequence, position }

    /// `[batch, length]`, row-major.
    package let tags: [Int32]
    package let mask: [Bool]
    package let reduction: Reduction
    package let unit: Unit

    package init(tags: [Int32], mask: [Bool], reduction: Reduction = .mean, over unit: Unit = .sequence) {
        precondition(tags.count == mask.count, "crf: \(tags.count) tags, a mask of \(mask.count)")
        precondition(reduction != .batchMean, "crf: there is no batch mean; use mean or sum")
        self.tags = tags
        self.mask = mask
        self.reduction = reduction
        self.unit = unit
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let chain = CRFChain(inputs, mask: mask), losses = Tensor(uninitialised: [chain.batch])
        precondition(
            zip(tags, mask).allSatisfy { !$1 || (0..<chain.tags).contains(Int($0)) },
            "crf: a tag is not one of the \(chain.tags)")
        let out = losses.mutablePointer
        WorkerPool.shared.parallel(chain.batch) { sequence in
            let positions = chain.positions(sequence)
            guard !positions.isEmpty else {
                out[sequence] = 0
                return
            }
            let path = positions.map { Int(tags[sequence * chain.length + $0]) }
            out[sequence] = Float(
                chain.logPartition(chain.forward(sequence, positions)) - chain.score(sequence, positions, path))
        }
        return (reduction(losses, divisor: divisor(chain.batch)), [])
    }

    /// Marginal probabilities minus what the tags say, of each tag, transition, start and end.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let chain = CRFChain(inputs, mask: mask), k = chain.tags
        let demissions = Tensor(repeating: 0, inputs[0].shape)
        // Each sequence has its own sums, added in order afterwards: the result must not depend on threads.
        let parts = Tensor(repeating: 0, [chain.batch, k * k + 2 * k])
        let divisor = divisor(chain.batch)
        WorkerPool.shared.parallel(chain.batch) { sequence in
            let positions = chain.positions(sequence)
            if positions.isEmpty { return }
            let factor = reduction.factor(gradient, sequence, divisor: divisor)
            let path = positions.map { Int(tags[sequence * chain.length + $0]) }
            chain.addGradients(
                sequence, positions, path, Double(factor), demissions.mutablePointer + sequence * chain.length * k,
                parts.mutablePointer + sequence * parts.shape[1])
        }
        let sums = sumOfRows(parts)
        return [
            needs[0] ? demissions : nil, needs[1] ? sums.columns(0..<k).contiguous() : nil,
            needs[2] ? sums.columns(k..<2 * k).contiguous() : nil,
            needs[3] ? sums.columns(2 * k..<2 * k + k * k).contiguous().reshapedView([k, k]) : nil,
        ]
    }

    private func divisor(_ batch: Int) -> Double {
        guard reduction == .mean else { return 1 }
        return unit == .sequence ? Double(batch) : Double(mask.count { $0 })
    }
}
