/// Which unlabelled rows a head may label itself.
package enum PseudoLabels {
    /// Rows whose best label has at least this probability, balanced: no class gets more than its share of the labels, projected on the
    /// unlabelled rows, so that what the head finds easy does not crowd out the rest. Within a class the surest come first.
    ///
    /// - Parameters:
    ///   - guesses: of each unlabelled row, its best class and that class's calibrated probability.
    ///   - counts: labelled rows of each class.
    /// - Returns: unlabelled rows, ascending, with their classes.
    package static func choose(
        _ guesses: [(best: Int, confidence: Double)], confidence: Double, counts: [Int]
    ) -> [(row: Int, label: Int)] {
        let labelled = max(counts.reduce(0, +), 1)
        var groups = [[Int]](repeating: [], count: counts.count)
        for (row, guess) in guesses.enumerated() where guess.confidence >= confidence { groups[guess.best].append(row) }
        var chosen: [(row: Int, label: Int)] = []
        for (label, rows) in groups.enumerated() {
            let share = Double(counts[label]) / Double(labelled)
            let most = max(1, Int((share * Double(guesses.count)).rounded(.up)))
            let surest = rows.sorted { (guesses[$1].confidence, $0) < (guesses[$0].confidence, $1) }
            chosen += surest.prefix(most).map { ($0, label) }
        }
        return chosen.sorted { $0.row < $1.row }
    }
}
