package import Encoders
package import Heads

/// Labelled texts to be looked through for faults.
package struct DataCheckRequest: Sendable {
    /// By columns, all of as many rows.
    package var texts: [[String]]
    package var labels: [String]
    package var testTexts: [[String]]
    package var testLabels: [String]
    package var task: HeadTask
    package var separator: Character
    /// nil: nothing that needs embeddings.
    package var encoder: String?
    /// Empty: the top.
    package var tap = ""
    package var precision: Precision?
    package var seed: UInt64 = 0
    /// Rows shown with each finding.
    package var examples = 5
    /// Least cosine of near-duplicates.
    package var near = 0.97
    /// Rows below which a label is rare.
    package var rare = 5

    package init(
        texts: [[String]], labels: [String], testTexts: [[String]] = [], testLabels: [String] = [], task: HeadTask = .classify,
        separator: Character = "|", encoder: String? = nil
    ) {
        precondition(
            !texts.isEmpty && texts.allSatisfy { $0.count == labels.count } && testTexts.allSatisfy { $0.count == testLabels.count }
                && (testTexts.isEmpty || testTexts.count == texts.count),
            "columns of \(texts.map(\.count)) and \(testTexts.map(\.count)) rows")
        (self.texts, self.labels, self.testTexts, self.testLabels) = (texts, labels, testTexts, testLabels)
        (self.task, self.separator, self.encoder) = (task, separator, encoder)
    }
}

/// What is wrong with some data, the gravest first.
package struct DataReport: Sendable {
    package var rows: Int, testRows: Int
    /// Different ones, of the training rows.
    package var labels: Int
    package var findings: [DataFinding]
    /// What was left out, and why.
    package var notes: [String]
}

package struct DataFinding: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case emptyInput = "empty_input", emptyLabel = "empty_label", badLabel = "bad_label"
        case conflictingLeakage = "conflicting_leakage", leakage
        case conflictingDuplicate = "conflicting_duplicate", duplicate
        case unseenLabel = "unseen_label", rareLabel = "rare_label", imbalance, truncated
        case labelError = "label_error"
        case conflictingNearDuplicate = "conflicting_near_duplicate", nearLeakage = "near_leakage", nearDuplicate = "near_duplicate"

        package var severity: Severity {
            switch self {
            // Training fails on these, or the figures of the test rows are not worth having.
            case .emptyLabel, .badLabel, .leakage, .conflictingLeakage: .error
            case .emptyInput, .conflictingDuplicate, .unseenLabel, .rareLabel, .imbalance, .labelError, .conflictingNearDuplicate,
                .nearLeakage:
                .warning
            case .duplicate, .truncated, .nearDuplicate: .information
            }
        }
    }

    package enum Severity: String, Sendable { case error, warning, information }

    package let kind: Kind
    package let count: Int
    /// One sentence.
    package let text: String
    package let examples: [Example]

    package struct Example: Sendable, Equatable {
        /// nil: of a label, not of a row.
        package var row: RowPlace?
        package var text = ""
        package var label = ""
        package var other: RowPlace?
        package var otherText = ""
        package var otherLabel = ""
        package var suggestion = ""
        package var value = 0.0
    }
}

/// A row of the training or of the test data, counted from 1.
package struct RowPlace: Sendable, Hashable {
    package let row: Int
    package let isTest: Bool

    package init(row: Int, isTest: Bool = false) { (self.row, self.isTest) = (row, isTest) }
}
