import Glibc
package import TensorCore

/// Chooses the rows most worth labelling: those a head is unsure of, spread over the embedding space so that they do not all ask the same.
package enum Suggestion {
    /// How unsure probabilities are, 0 to 1: the mean of their entropy, as a share of the largest there can be, and of one minus the margin
    /// between the two largest.
    package static func uncertainty(_ probabilities: some Collection<Float>) -> Double {
        let count = probabilities.count
        guard count > 1 else { return probabilities.first.map { 1 - abs(2 * Double($0) - 1) } ?? 0 }
        var entropy = 0.0, best: Float = 0, second: Float = 0
        for p in probabilities {
            if p > 0 { entropy -= Double(p) * log(Double(p)) }
            if p > best { (best, second) = (p, best) } else if p > second { second = p }
        }
        return (entropy / log(Double(count)) + 1 - Double(best - second)) / 2
    }

    /// Of independent labels: the most uncertain of them.
    package static func uncertainty(independent probabilities: some Collection<Float>) -> Double {
        probabilities.reduce(0) { max($0, 1 - abs(2 * Double($1) - 1)) }
    }

    /// Positions of the rows, in the order they were chosen. The first is the most uncertain; each next has the largest product of
    /// uncertainty and distance from the nearest that was chosen (a greedy core-set, Sener & Savarese 2018, weighed). Rows at no distance from a
    /// chosen one are not chosen.
    ///
    /// - Parameter points: `[rows, width]`, each of length 1.
    package static func choose(_ count: Int, of points: Tensor, uncertainties: [Double]) -> [Int] {
        precondition(points.shape[0] == uncertainties.count, "\(points.shape) points, \(uncertainties.count) uncertainties")
        var chosen: [Int] = []
        // Largest distance of two points of length 1: every row is as far from nothing.
        var distances = [Double](repeating: 2, count: uncertainties.count)
        while chosen.count < count {
            var best: (row: Int, worth: Double)?
            for row in uncertainties.indices where distances[row] > 1e-6 {
                // Rows that the head is sure of come last, by distance, instead of never.
                let worth = (uncertainties[row] + 1e-6) * distances[row]
                if best.map({ worth > $0.worth }) ?? true { best = (row, worth) }
            }
            guard let next = best?.row else { break }
            chosen.append(next)
            let similarities = MatrixProduct(transposeB: true)(points, KMeans.gather(points, [next])).contiguous()
            for row in distances.indices { distances[row] = min(distances[row], Double(1 - similarities.pointer[row])) }
            distances[next] = 0
        }
        return chosen
    }
}
