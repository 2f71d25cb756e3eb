import Glibc

/// A linear chain's scores, and the sums and maxima over all tag sequences. Logarithms in double precision throughout.
struct CRFChain {
    let batch: Int, length: Int, tags: Int
    private let mask: [Bool]
    private let emissions: Tensor
    private let start: [Double], end: [Double]
    /// `[from, to]`
    private let transitions: [Double]

    /// Inputs as those of `LinearChainCRF`.
    init(_ inputs: [Tensor], mask: [Bool]) {
        emissions = inputs[0].contiguous()
        precondition(
            emissions.rank == 3 && inputs[1].shape == [emissions.shape.last] && inputs[2].shape == inputs[1].shape
                && inputs[3].shape == [emissions.shape.last, emissions.shape.last]
                && mask.count == emissions.shape.rows,
            "crf: emissions \(inputs[0].shape), start \(inputs[1].shape), end \(inputs[2].shape), "
                + "transitions \(inputs[3].shape), a mask of \(mask.count)")
        (batch, length, tags) = (emissions.shape[0], emissions.shape[1], emissions.shape[2])
        self.mask = mask
        start = inputs[1].values.map(Double.init)
        end = inputs[2].values.map(Double.init)
        transitions = inputs[3].values.map(Double.init)
    }

    /// Positions of a sequence that exist, in order.
    func positions(_ sequence: Int) -> [Int] { (0..<length).filter { mask[sequence * length + $0] } }

    private func emission(_ sequence: Int, _ position: Int, _ tag: Int) -> Double {
        Double(emissions.pointer[(sequence * length + position) * tags + tag])
    }

    /// Score of one path.
    func score(_ sequence: Int, _ positions: [Int], _ path: [Int]) -> Double {
        var score = start[path[0]] + end[path[path.count - 1]]
        for (index, position) in positions.enumerated() {
            score += emission(sequence, position, path[index])
            if index > 0 { score += transitions[path[index - 1] * tags + path[index]] }
        }
        return score
    }

    /// `[positions, tags]`: log-sum of the scores of all paths up to a position that end in a tag.
    func forward(_ sequence: Int, _ positions: [Int]) -> [Double] {
        var alpha = [Double](repeating: 0, count: positions.count * tags)
        var terms = [Double](repeating: 0, count: tags)
        for (index, position) in positions.enumerated() {
            for tag in 0..<tags {
                var before = start[tag]
                if index > 0 {
                    for from in 0..<tags {
                        terms[from] = alpha[(index - 1) * tags + from] + transitions[from * tags + tag]
                    }
                    before = logSum(terms)
                }
                alpha[index * tags + tag] = before + emission(sequence, position, tag)
            }
        }
        return alpha
    }

    func logPartition(_ alpha: [Double]) -> Double {
        logSum((0..<tags).map { alpha[alpha.count - tags + $0] + end[$0] })
    }

    /// Adds `factor · (marginals − path)`: to `emissions` `[length, tags]` and to `others`: start, end `[tags]`, transitions.
    func addGradients(
        _ sequence: Int, _ positions: [Int], _ path: [Int], _ factor: Double, _ demissions: UnsafeMutablePointer<Float>,
        _ others: UnsafeMutablePointer<Float>
    ) {
        let alpha = forward(sequence, positions), partition = logPartition(alpha)
        var sums = [Double](repeating: 0, count: 2 * tags + tags * tags)
        var beta = end, terms = [Double](repeating: 0, count: tags)
        for index in stride(from: positions.count - 1, through: 0, by: -1) {
            let position = positions[index]
            if index < positions.count - 1 {
                // ahead: from the next position's tag on, that tag's emission included.
                let ahead = (0..<tags).map { beta[$0] + emission(sequence, positions[index + 1], $0) }
                for from in 0..<tags {
                    for to in 0..<tags {
                        let term = transitions[from * tags + to] + ahead[to]
                        terms[to] = term
                        sums[2 * tags + from * tags + to] += exp(alpha[index * tags + from] + term - partition)
                    }
                    beta[from] = logSum(terms)
                }
                sums[2 * tags + path[index] * tags + path[index + 1]] -= 1
            }
            for tag in 0..<tags {
                let marginal = exp(alpha[index * tags + tag] + beta[tag] - partition)
                let slope = marginal - (path[index] == tag ? 1 : 0)
                demissions[position * tags + tag] += Float(factor * slope)
                if index == 0 { sums[tag] += slope }
                if index == positions.count - 1 { sums[tags + tag] += slope }
            }
        }
        for i in sums.indices { others[i] = Float(factor * sums[i]) }
    }

    /// `[positions, tags]`: the probability of each tag at each position, over all paths.
    func marginals(_ sequence: Int, _ positions: [Int]) -> [Double] {
        guard !positions.isEmpty else { return [] }
        let alpha = forward(sequence, positions), partition = logPartition(alpha)
        var beta = end, result = alpha
        for index in stride(from: positions.count - 1, through: 0, by: -1) {
            if index < positions.count - 1 {
                let ahead = (0..<tags).map { beta[$0] + emission(sequence, positions[index + 1], $0) }
                beta = (0..<tags).map { from in logSum((0..<tags).map { transitions[from * tags + $0] + ahead[$0] }) }
            }
            for tag in 0..<tags { result[index * tags + tag] = exp(alpha[index * tags + tag] + beta[tag] - partition) }
        }
        return result
    }

    private func logSum(_ terms: [Double]) -> Double {
        var largest = -Double.infinity, sum = 0.0
        for term in terms where term > largest { largest = term }
        guard largest > -.infinity else { return terms.reduce(0, +) }
        for term in terms { sum += exp(term - largest) }
        return largest + log(sum)
    }

    /// The best path (Viterbi 1967) and its score; of equal ones that with the lower last tag. Empty, 0 for no positions.
    func bestPath(_ sequence: Int, _ positions: [Int]) -> (path: [Int], score: Double) {
        guard !positions.isEmpty else { return ([], 0) }
        var best = [Double](repeating: 0, count: tags)
        var origins: [[Int]] = []
        for (index, position) in positions.enumerated() {
            var next = best, origin = [Int](repeating: 0, count: tags)
            for tag in 0..<tags {
                next[tag] = start[tag]
                if index > 0 {
                    let from = largest(tags) { best[$0] + transitions[$0 * tags + tag] }
                    origin[tag] = from
                    next[tag] = best[from] + transitions[from * tags + tag]
                }
                next[tag] += emission(sequence, position, tag)
            }
            best = next
            origins.append(origin)
        }
        var tag = largest(tags) { best[$0] + end[$0] }
        let score = best[tag] + end[tag]
        var path = [tag]
        for origin in origins.dropFirst().reversed() {
            tag = origin[tag]
            path.append(tag)
        }
        return (path.reversed(), score)
    }

    private func largest(_ count: Int, _ value: (Int) -> Double) -> Int {
        var best = 0
        for i in 1..<max(count, 1) where value(i) > value(best) { best = i }
        return best
    }
}

/// A tag sequence for the existing positions of one sequence.
package struct TagPath: Sendable, Equatable {
    package let tags: [Int]
    package let score: Float
    /// Of each tag its probability, whatever the others are.
    package let probabilities: [Float]

    package init(tags: [Int], score: Float, probabilities: [Float]) {
        self.tags = tags
        self.score = score
        self.probabilities = probabilities
    }
}

extension LinearChainCRF {
    /// The most likely tags of each sequence. Inputs as for the loss; `mask` `[batch, length]` row-major.
    package static func decode(
        emissions: Tensor, start: Tensor, end: Tensor, transitions: Tensor, mask: [Bool]
    ) -> [TagPath] {
        let chain = CRFChain([emissions, start, end, transitions], mask: mask)
        return (0..<chain.batch).map { sequence in
            let positions = chain.positions(sequence), (tags, score) = chain.bestPath(sequence, positions)
            let marginals = chain.marginals(sequence, positions)
            return TagPath(
                tags: tags, score: Float(score), probabilities: tags.enumerated().map { Float(marginals[$0 * chain.tags + $1]) })
        }
    }
}
