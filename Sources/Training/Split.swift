import TensorCore

/// Which rows are set aside.
package struct Split: Sendable, Equatable {
    /// Rows to learn from, ascending.
    package let kept: [Int]
    /// Rows set aside, ascending.
    package let held: [Int]

    package init(kept: [Int], held: [Int]) {
        self.kept = kept
        self.held = held
    }

    /// Sets about `share` of the rows aside, at random but repeatably. With classes the share is taken of each class, and a class
    /// seen once stays with the kept rows: it could not be learnt otherwise. Nothing is set aside of fewer than ten rows.
    package init(_ targets: Targets, share: Double, seed: UInt64, purpose: String) {
        let rows = targets.rows
        var random = Random(seed: seed, stream: purpose)
        let order = random.permutation(rows)
        var held: [Int] = []
        if share > 0, rows >= 10 {
            if case .classes(let classes) = targets {
                var groups: [Int32: [Int]] = [:]
                for row in order { groups[classes[row], default: []].append(row) }
                for (_, group) in groups.sorted(by: { $0.key < $1.key }) {
                    let count = Int((Double(group.count) * share).rounded())
                    held += group.prefix(min(count, group.count - 1))
                }
            } else {
                held += order.prefix(min(Int((Double(rows) * share).rounded()), rows - 1))
            }
        }
        let heldSet = Set(held)
        self.held = held.sorted()
        self.kept = (0..<rows).filter { !heldSet.contains($0) }
    }
}
