import Glibc
package import TensorCore
package import Training

/// How a head's outputs become probabilities that can be taken at their word, fitted on rows the head did not learn from. It is part of
/// how the outputs are read, not of the weights: which label is best does not change.
package struct Calibration: Sendable, Codable, Equatable {
    /// Outputs are divided by it before the softmax or sigmoid (Guo et al. 2017).
    package var temperature: Double
    /// Of independent labels: the probability from which each applies, in the labels' order.
    package var thresholds: [Double]?
    /// Expected calibration error of the rows it was fitted on, without and with the temperature.
    package var errorBefore = 0.0, errorAfter = 0.0
    package var rows = 0

    package init(temperature: Double, thresholds: [Double]? = nil) {
        self.temperature = temperature
        self.thresholds = thresholds
    }

    /// Fewest rows it is fitted on.
    package static let fewestRows = 10
    /// Bins of the calibration error.
    static let bins = 15
    /// Fewest rows with a label, and without it, for its threshold to be tuned; on fewer it stays at one half.
    static let fewestOfLabel = 5

    /// Fits temperature and thresholds; nil where there are too few rows, or no probabilities.
    ///
    /// The temperature minimises the rows' negative log-likelihood and, counted once, the square of its logarithm over 2: a prior that
    /// keeps a head which is right on all of a few rows from becoming certain of everything.
    ///
    /// - Parameter outputs: `[rows, outputs]`
    package init?(fitting outputs: Tensor, _ targets: Targets) {
        guard targets.rows >= Self.fewestRows, outputs.shape[0] == targets.rows else { return nil }
        let width = outputs.shape[1], scores = outputs.values
        switch targets {
        case .classes(let classes):
            temperature = Self.temperature { inverse in
                var slope = 0.0
                for (row, truth) in classes.enumerated() {
                    slope += Self.expected(scores[row * width..<(row + 1) * width], inverse) - Double(scores[row * width + Int(truth)])
                }
                return slope
            }
            let before = Self.confidences(outputs), after = Self.confidences(outputs, temperature)
            errorBefore = Self.error(before.map { ($0.confidence, $0.best == Int(classes[$0.row])) })
            errorAfter = Self.error(after.map { ($0.confidence, $0.best == Int(classes[$0.row])) })
        case .labels(let flags, let count):
            temperature = Self.temperature { inverse in
                zip(scores, flags).reduce(0) { $0 + Double($1.0) * (Self.sigmoid(Double($1.0) * inverse) - Double($1.1)) }
            }
            let divisor = temperature
            let chances = scores.map { Self.sigmoid(Double($0) / divisor) }
            errorBefore = Self.error(zip(scores, flags).map { (Self.sigmoid(Double($0)), $1 > 0.5) })
            errorAfter = Self.error(zip(chances, flags).map { ($0, $1 > 0.5) })
            thresholds = (0..<count).map { label in
                Self.threshold(stride(from: label, to: chances.count, by: count).map { (chances[$0], flags[$0] > 0.5) })
            }
        case .values, .tags: return nil
        }
        rows = targets.rows
    }

    /// Solves for the temperature by the slope of the rows' log-likelihood loss by its inverse, which rises.
    private static func temperature(slope: (_ inverse: Double) -> Double) -> Double {
        // u = log(1 / T): the slope by it, with that of the prior.
        func rises(_ u: Double) -> Bool { exp(u) * slope(exp(u)) + u > 0 }
        var low = -3.0, high = 3.0
        for _ in 0..<50 {
            let middle = (low + high) / 2
            if rises(middle) { high = middle } else { low = middle }
        }
        return exp(-(low + high) / 2)
    }

    /// Mean of the scores under their own softmax.
    private static func expected(_ scores: ArraySlice<Float>, _ inverse: Double) -> Double {
        let largest = Double(scores.max() ?? 0)
        var total = 0.0, sum = 0.0
        for score in scores {
            let weight = exp((Double(score) - largest) * inverse)
            total += weight
            sum += weight * Double(score)
        }
        return sum / total
    }

    private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    /// The threshold of the highest F1, between two neighbouring probabilities; of equals the nearest to one half.
    static func threshold(_ rows: [(chance: Double, holds: Bool)]) -> Double {
        let positives = rows.count { $0.holds }
        guard positives >= fewestOfLabel, rows.count - positives >= fewestOfLabel else { return 0.5 }
        let sorted = rows.sorted { $0.chance > $1.chance }
        // From one half, where it stays unless another is better.
        var hits = sorted.count { $0.chance >= 0.5 && $0.holds }
        var best = (f1: f1(hits, sorted.count { $0.chance >= 0.5 }, positives), threshold: 0.5)
        hits = 0
        for index in sorted.indices {
            if sorted[index].holds { hits += 1 }
            let next = index + 1 < sorted.count ? sorted[index + 1].chance : 0
            guard next < sorted[index].chance else { continue }
            let own = f1(hits, index + 1, positives), middle = (sorted[index].chance + next) / 2
            if own > best.f1 || own == best.f1 && abs(middle - 0.5) < abs(best.threshold - 0.5) { best = (own, middle) }
        }
        return best.threshold
    }

    private static func f1(_ hits: Int, _ found: Int, _ positives: Int) -> Double {
        2 * Double(hits) / Double(max(found + positives, 1))
    }

    /// Of each row the best output and its probability.
    package static func confidences(_ outputs: Tensor, _ temperature: Double = 1) -> [(row: Int, best: Int, confidence: Double)] {
        let width = outputs.shape[1], dense = outputs.contiguous()
        return (0..<outputs.shape[0]).map { row in
            let start = row * width, best = dense.pointer.indexOfLargest(start, width)
            let largest = Double(dense.pointer[start + best])
            let total = (0..<width).reduce(0.0) { $0 + exp((Double(dense.pointer[start + $1]) - largest) / temperature) }
            return (row, best, 1 / total)
        }
    }

    /// Expected calibration error (Naeini et al. 2015): how far, bin by bin of confidence, confidence is from the share that is right.
    package static func error(_ rows: [(confidence: Double, isRight: Bool)]) -> Double {
        var sums = [(count: Int, confidence: Double, right: Int)](repeating: (0, 0, 0), count: bins)
        for row in rows {
            let bin = min(Int(row.confidence * Double(bins)), bins - 1)
            sums[bin].count += 1
            sums[bin].confidence += row.confidence
            if row.isRight { sums[bin].right += 1 }
        }
        let total = Double(max(rows.count, 1))
        return sums.reduce(0) { $0 + abs($1.confidence - Double($1.right)) / total }
    }

    /// What an exported model says of it, as `metadata_props`.
    package var metadata: [String: String] {
        var entries = ["hidra.temperature": String(temperature)]
        if let thresholds { entries["hidra.thresholds"] = thresholds.map { String($0) }.joined(separator: ",") }
        return entries
    }
}
