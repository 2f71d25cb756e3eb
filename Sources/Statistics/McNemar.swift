import Foundation

/// Whether two classifiers differ on the same rows: only rows that exactly one of them has right count.
///
/// Exact, two-sided: twice the smaller tail of a binomial with p = ½ over those rows, at most 1 (McNemar 1947; Dietterich 1998).
package struct McNemar: Sendable, Equatable {
    /// Rows only the first has right, and only the second.
    package let onlyFirst: Int, onlySecond: Int
    package let pValue: Double

    package init(onlyFirst: Int, onlySecond: Int) {
        precondition(onlyFirst >= 0 && onlySecond >= 0, "\(onlyFirst) and \(onlySecond) rows")
        (self.onlyFirst, self.onlySecond) = (onlyFirst, onlySecond)
        let rows = onlyFirst + onlySecond
        guard rows > 0 else {
            pValue = 1
            return
        }
        // In logarithms: 2⁻ⁿ alone is not a number from some thousand rows on.
        var logarithm = -Double(rows) * log(2), tail = exp(logarithm)
        for hits in 0..<min(onlyFirst, onlySecond) {
            logarithm += log(Double(rows - hits)) - log(Double(hits + 1))
            tail += exp(logarithm)
        }
        pValue = min(1, 2 * tail)
    }

    /// - Parameters: whether each row is right; both of the same rows.
    package init(first: [Bool], second: [Bool]) {
        precondition(first.count == second.count, "\(first.count) and \(second.count) rows")
        self.init(
            onlyFirst: zip(first, second).count { $0 && !$1 }, onlySecond: zip(first, second).count { !$0 && $1 })
    }
}
