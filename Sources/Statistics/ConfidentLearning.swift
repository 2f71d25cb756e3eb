/// Rows whose given label is likely wrong, from probabilities that a model gave without having seen the row's own label.
///
/// A row counts for class j when its probability of j is at least the mean probability of j among the rows labelled j; of several such
/// classes, for the most probable. Rows that count for another class than their label are the off-diagonal of the confident joint
/// (Northcutt, Jiang & Chuang 2021, "Confident Learning", equations 1 and 2).
package struct ConfidentLearning: Sendable, Equatable {
    package struct Issue: Sendable, Equatable {
        package let row: Int
        package let given: Int
        /// The class it counts for.
        package let suggested: Int
        /// Probability of the given label less the largest other one; the list is sorted by it, the most certain first.
        package let margin: Double
        package let probability: Double
    }

    package let issues: [Issue]
    /// Of each class; 1 for a class without rows, which no row then counts for unless it is certain.
    package let thresholds: [Double]

    /// - Parameters:
    ///   - probabilities: row-major `[rows, classes]`.
    ///   - labels: the given ones.
    package init(probabilities: [Float], labels: [Int], classes: Int) {
        precondition(probabilities.count == labels.count * classes, "\(probabilities.count) probabilities of \(labels.count) rows")
        var sums = [Double](repeating: 0, count: classes), counts = [Int](repeating: 0, count: classes)
        for (row, label) in labels.enumerated() {
            sums[label] += Double(probabilities[row * classes + label])
            counts[label] += 1
        }
        let thresholds = (0..<classes).map { counts[$0] == 0 ? 1 : sums[$0] / Double(counts[$0]) }
        self.thresholds = thresholds
        var issues: [Issue] = []
        for (row, given) in labels.enumerated() {
            var best = -1, rival = -1.0
            for label in 0..<classes {
                let value = Double(probabilities[row * classes + label])
                if label != given { rival = max(rival, value) }
                guard value >= thresholds[label] - 1e-9 else { continue }
                if best < 0 || value > Double(probabilities[row * classes + best]) { best = label }
            }
            let own = Double(probabilities[row * classes + given])
            // A rare class's threshold can be so low that a row counts for it while its own label is more probable still.
            guard best >= 0, best != given, rival > own else { continue }
            issues.append(Issue(row: row, given: given, suggested: best, margin: own - rival, probability: own))
        }
        self.issues = issues.sorted { ($0.margin, $0.row) < ($1.margin, $1.row) }
    }
}
