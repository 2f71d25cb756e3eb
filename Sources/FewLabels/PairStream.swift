import TensorCore

/// Pairs of rows of the same class and of different ones, drawn as they are needed: memory grows with the rows, not with the pairs.
///
/// In each round every row, in a new order, brings a pair with another row of its class and a pair with a row of another class (the
/// sampling of SetFit, Tunstall et al. 2022). A row that is alone in its class brings a pair with itself, which teaches nothing and keeps
/// the two kinds as many.
package struct PairStream {
    package struct Pair: Sendable, Equatable {
        package let first: Int, second: Int
        package let isSame: Bool
    }

    private let classes: [Int32]
    /// Rows by class, and for each row where it stands among those of its class.
    private var groups: [Int32: [Int]] = [:]
    private var places: [Int]
    /// Rows ordered by class: those of another class are the ones outside a range.
    private var ordered: [Int] = [], ranges: [Int32: Range<Int>] = [:]
    private var random: Random
    private var order: [Int] = []
    private var position = 0
    private var pending: Pair?

    /// - Parameter classes: of the rows; at least two different ones.
    package init(_ classes: [Int32], seed: UInt64) {
        precondition(Set(classes).count > 1, "pairs of \(Set(classes).count) classes")
        self.classes = classes
        random = Random(seed: seed, stream: "pairs")
        places = [Int](repeating: 0, count: classes.count)
        for (row, label) in classes.enumerated() {
            places[row] = groups[label]?.count ?? 0
            groups[label, default: []].append(row)
        }
        for (label, rows) in groups.sorted(by: { $0.key < $1.key }) {
            ranges[label] = ordered.count..<ordered.count + rows.count
            ordered += rows
        }
    }

    package mutating func next() -> Pair {
        if let pair = pending {
            pending = nil
            return pair
        }
        if position == order.count {
            order = random.permutation(classes.count)
            position = 0
        }
        let row = order[position]
        position += 1
        pending = Pair(first: row, second: stranger(to: row), isSame: false)
        return Pair(first: row, second: fellow(of: row), isSame: true)
    }

    private mutating func fellow(of row: Int) -> Int {
        guard let rows = groups[classes[row]], rows.count > 1 else { return row }
        let other = random.index(below: rows.count - 1)
        return rows[other < places[row] ? other : other + 1]
    }

    private mutating func stranger(to row: Int) -> Int {
        guard let own = ranges[classes[row]] else { preconditionFailure("row \(row) has no class") }
        let other = random.index(below: ordered.count - own.count)
        return ordered[other < own.lowerBound ? other : other + own.count]
    }
}
