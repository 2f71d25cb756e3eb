import CKernels

/// Multiple-negatives ranking (Henderson et al. 2017; InfoNCE): each anchor must find its own positive among all positives and
/// hard negatives of the batch. `scores[i, j] = scale · sim(anchor i, candidate j)`, mean cross-entropy with target i; `symmetric`
/// averages it with the same from the positives to the anchors.
///
/// Inputs: anchors `[n, width]`, positives `[n, width]` and, optionally, hard negatives `[m, width]`.
package struct MultipleNegativesRanking: DifferentiableOp {
    package static let name = "multiple_negatives_ranking"
    package enum Similarity: String, Sendable { case cosine, dot }

    package let scale: Float
    package let symmetric: Bool
    package let similarity: Similarity

    package init(scale: Float = 20, symmetric: Bool = false, similarity: Similarity = .cosine) {
        self.scale = scale
        self.symmetric = symmetric
        self.similarity = similarity
    }

    private var entropy: (Int) -> CrossEntropy { { CrossEntropy(targets: (0..<Int32($0)).map { $0 }) } }
    private let normalisation = L2Normalisation()

    /// Saved: for each input what its normalisation kept (direction, norms), then the softmax of the scores of both ways.
    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let count = inputs[0].shape.rows
        precondition(
            inputs[0].rank == 2 && inputs[0].shape == inputs[1].shape
                && inputs.dropFirst(2).allSatisfy { $0.rank == 2 && $0.shape.last == inputs[0].shape.last },
            "multiple_negatives_ranking: inputs of shapes \(inputs.map(\.shape))")
        var saved: Saved = []
        var directions: [Tensor] = []
        for input in inputs {
            let (direction, kept) =
                similarity == .cosine ? normalisation.forward([input]) : (input.contiguous(), [input.contiguous()])
            directions.append(direction)
            saved += kept
        }
        let scores = multiply(directions[0], stacked(Array(directions.dropFirst())), transposeB: true).map {
            $0 * scale
        }
        let (loss, softmax) = entropy(count).forward([scores])
        saved += softmax
        guard symmetric else { return (loss, saved) }
        let (back, backSoftmax) = entropy(count).forward([scores.columns(0..<count).permutedView([1, 0])])
        return (Tensor(scalar: (loss.scalar + back.scalar) / 2), saved + backSoftmax)
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let count = inputs[0].shape[0], kept = similarity == .cosine ? 2 : 1
        let directions = inputs.indices.map { saved[$0 * kept] }
        let candidates = stacked(Array(directions.dropFirst()))
        let total = Tensor(scalar: gradient.scalar * (symmetric ? 0.5 : 1))
        let softmax = Array(saved.dropFirst(inputs.count * kept))
        let dscores = slope(total, softmax[0])
        if symmetric {
            let back = slope(total, softmax[1]), width = candidates.shape[0]
            for i in 0..<count {
                for j in 0..<count { dscores.mutablePointer[i * width + j] += back.pointer[j * count + i] }
            }
        }
        let scaled = dscores.map { $0 * scale }
        let danchor = multiply(scaled, candidates), dcandidates = multiply(scaled, transposeA: true, directions[0])
        var row = 0
        return inputs.indices.map { index in
            var part = danchor
            if index > 0 {
                part = dcandidates.rows(row..<row + inputs[index].shape[0]).contiguous()
                row += inputs[index].shape[0]
            }
            guard needs[index] else { return nil }
            guard similarity == .cosine else { return part }
            let own = [saved[index * kept], saved[index * kept + 1]]
            return normalisation.backward(part, inputs: [inputs[index]], saved: own, needs: [true])[0]
        }
    }

    private func slope(_ gradient: Tensor, _ softmax: Tensor) -> Tensor {
        let op = entropy(softmax.shape[0])
        guard let slope = op.backward(gradient, inputs: [softmax], saved: [softmax], needs: [true])[0] else {
            preconditionFailure("multiple_negatives_ranking: no gradient of the scores")
        }
        return slope
    }

    /// Matrices of one width, one below the other.
    private func stacked(_ parts: [Tensor]) -> Tensor {
        if parts.count == 1 { return parts[0] }
        let result = Tensor(uninitialised: [parts.reduce(0) { $0 + $1.shape[0] }, parts[0].shape[1]])
        var target = result.mutablePointer
        for part in parts {
            target.update(from: part.pointer, count: part.count)
            target += part.count
        }
        return result
    }
}

/// Supervised contrastive loss (Khosla et al. 2020) of embeddings `[n, width]`, one label each. With normalised x and
/// `s = x xᵀ / temperature` without the diagonal: for each anchor minus the mean over the others of its label of
/// `s_ij − log Σ_k exp s_ik`; the mean over the anchors that have one, 0 when none has.
package struct SupervisedContrastive: DifferentiableOp {
    package static let name = "supervised_contrastive"
    package let labels: [Int32]
    package let temperature: Float

    package init(labels: [Int32], temperature: Float = 0.1) {
        precondition(temperature > 0, "supervised_contrastive: temperature \(temperature) is not positive")
        self.labels = labels
        self.temperature = temperature
    }

    private let normalisation = L2Normalisation()

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let n = labels.count
        precondition(
            inputs[0].rank == 2 && inputs[0].shape[0] == n, "supervised_contrastive: x \(inputs[0].shape), \(n) labels")
        let (x, kept) = normalisation.forward(inputs)
        let scores = multiply(x, x, transposeB: true).map { $0 / temperature }
        for i in 0..<n { scores.mutablePointer[i * n + i] = -.infinity }
        let softmax = Tensor(uninitialised: scores.shape)
        ck_softmax_f32(n, n, 1, scores.pointer, n, softmax.mutablePointer, n)
        var total = 0.0, anchors = 0
        for i in 0..<n {
            let others = companions(of: i)
            if others.isEmpty { continue }
            anchors += 1
            let row = scores.pointer + i * n
            let logSum = row.logSumOfExponentials(n, softmax: softmax.pointer + i * n)
            total -= others.reduce(0.0) { $0 + Double(row[$1] - logSum) } / Double(others.count)
        }
        return (Tensor(scalar: anchors == 0 ? 0 : Float(total / Double(anchors))), kept + [softmax])
    }

    /// `ds_ij = (p_ij − [same label] / companions) / anchors` for anchors that have companions.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let n = labels.count, x = saved[0], softmax = saved[2]
        let dscores = Tensor(repeating: 0, [n, n])
        let anchors = (0..<n).count { !companions(of: $0).isEmpty }
        let scale = gradient.scalar / Float(max(anchors, 1)) / temperature
        for i in 0..<n {
            let others = companions(of: i), row = dscores.mutablePointer + i * n
            if others.isEmpty { continue }
            for j in 0..<n where j != i { row[j] = scale * softmax.pointer[i * n + j] }
            for j in others { row[j] -= scale / Float(others.count) }
        }
        // s is symmetric in x: both of its factors receive a part.
        let dx = multiply(dscores, x)
        let other = multiply(dscores, transposeA: true, x)
        ck_axpy_f32(dx.count, 1, other.pointer, dx.mutablePointer)
        return normalisation.backward(dx, inputs: inputs, saved: [saved[0], saved[1]], needs: needs)
    }

    private func companions(of index: Int) -> [Int] {
        labels.indices.filter { $0 != index && labels[$0] == labels[index] }
    }
}
