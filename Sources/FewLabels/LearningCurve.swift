import Glibc
import TensorCore
package import Training

/// How a score grows with the number of labelled rows.
package struct LearningCurve: Sendable {
    package struct Point: Sendable {
        package let share: Double
        package let rows: Int
        /// One for each choice of rows.
        package let scores: [Double]

        package init(share: Double, rows: Int, scores: [Double]) {
            self.share = share
            self.rows = rows
            self.scores = scores
        }

        package var mean: Double { scores.reduce(0, +) / Double(max(scores.count, 1)) }
        /// Standard deviation over the choices, of a sample.
        package var deviation: Double {
            guard scores.count > 1 else { return 0 }
            return (scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(scores.count - 1)).squareRoot()
        }
    }

    package static let defaultShares = [0.1, 0.25, 0.5, 1]
    package let metric: String
    /// By share, ascending.
    package let points: [Point]

    package init(metric: String, points: [Point]) {
        self.metric = metric
        self.points = points
    }

    /// Rows at random, of each class its share and at least one.
    package static func rows(_ targets: Targets, share: Double, seed: UInt64) -> [Int] {
        guard share < 1 else { return Array(0..<targets.rows) }
        var random = Random(seed: seed, stream: "learning curve \(share)")
        let order = random.permutation(targets.rows)
        func part(_ count: Int) -> Int { max(1, Int((Double(count) * share).rounded())) }
        guard case .classes(let classes) = targets else { return order.prefix(part(order.count)).sorted() }
        var groups: [Int32: [Int]] = [:]
        for row in order { groups[classes[row], default: []].append(row) }
        return groups.values.flatMap { $0.prefix(part($0.count)) }.sorted()
    }

    /// Score gained per doubling of the rows between the last two points, how sure that is (two standard errors), and what the next doubling
    /// would bring if gains go on shrinking as they did before.
    private var trend: (gain: Double, error: Double, next: Double)? {
        guard points.count > 1 else { return nil }
        func doublings(_ a: Point, _ b: Point) -> Double { max(log2(Double(b.rows) / Double(max(a.rows, 1))), 1e-6) }
        let last = points[points.count - 1], former = points[points.count - 2]
        let span = doublings(former, last), gain = (last.mean - former.mean) / span
        func variance(_ point: Point) -> Double { point.deviation * point.deviation / Double(max(point.scores.count, 1)) }
        let error = 2 * (variance(last) + variance(former)).squareRoot() / span
        guard points.count > 2 else { return (gain, error, gain) }
        let earlier = points[points.count - 3], before = (former.mean - earlier.mean) / doublings(earlier, former)
        let ratio = before > 0 ? min(max(gain / before, 0), 1) : 1
        return (gain, error, gain * ratio)
    }

    /// Least gain of a doubling that is worth labelling for.
    private static let worthwhile = 0.005

    package var moreWouldHelp: Bool { trend.map { $0.gain > $0.error && $0.next >= Self.worthwhile } ?? false }

    /// Whether more labels would help, in plain words.
    package var answer: String {
        guard let trend, let last = points.last, let first = points.first, points.count > 1 else {
            return "One share of the rows says nothing about more of them."
        }
        func gained(_ value: Double) -> String { "\(Double(Int((value * 1000).rounded())) / 10) points" }
        let name = metric.replacing("_", with: " ")
        let grown = "From \(first.rows) to \(last.rows) rows the \(name) went from \(rounded(first.mean)) to \(rounded(last.mean))"
        if moreWouldHelp {
            return "More labels would help: \(grown), and the last doubling still brought \(gained(trend.gain)). Twice as many would bring "
                + "about \(gained(trend.next)) more."
        }
        if trend.gain <= trend.error {
            return "More labels would hardly help, as far as this can tell: \(grown), but the last doubling brought \(gained(trend.gain)), which is "
                + "within the spread of the choices (± \(gained(trend.error)))."
        }
        return "More labels would hardly help: \(grown), and twice as many would bring about \(gained(trend.next)) more. Look at the labels "
            + "themselves, another encoder or other settings first."
    }

    private func rounded(_ value: Double) -> String { "\(Double(Int((value * 1000).rounded())) / 1000)" }
}
