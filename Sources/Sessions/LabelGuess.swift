import Tables

/// What a column of a table looks like.
struct ColumnSketch {
    let name: String
    let values: [String]
    let distinct: Int
    /// Words a value, on average.
    let words: Double
    let characters: Double

    /// nil for a column that cannot be read, or has nothing in it.
    init?(_ name: String, _ table: Table) {
        do { values = try table.column(name) } catch {
            // Rows lack it; the others may do.
            return nil
        }
        guard values.contains(where: { !$0.allSatisfy(\.isWhitespace) }) else { return nil }
        self.name = name
        distinct = Set(values).count
        let count = Double(values.count)
        words = Double(values.reduce(0) { $0 + $1.split(whereSeparator: \.isWhitespace).count }) / count
        characters = Double(values.reduce(0) { $0 + $1.unicodeScalars.count }) / count
    }

    private static let usual: Set = ["text", "message", "sentence", "body", "utterance", "query", "question", "review", "content", "description"]

    /// The column of texts: one of a usual name, else that of most characters; several words a value, and most values different.
    static func text(_ columns: [ColumnSketch]) -> ColumnSketch? {
        let texts = columns.filter { $0.words >= 1.5 && $0.distinct * 2 >= $0.values.count && !$0.isNumeric }
        return texts.first { usual.contains($0.name.lowercased()) } ?? texts.max { ($0.characters, $1.name) < ($1.characters, $0.name) }
    }

    var isNumeric: Bool { values.allSatisfy { Double($0.filter { !$0.isWhitespace })?.isFinite ?? false } }
}

/// What a column of labels is for, and why.
struct LabelGuess {
    let task: SessionPlan.Task
    let reason: String
    /// Label counts, or the range of numbers.
    let counts: String
    let warning: String?

    private static let mostLabels = 1_000

    init?(_ column: ColumnSketch, beside text: ColumnSketch) {
        let rows = column.values.count, values = column.values
        if let tags = Self.tags(values, text.values) {
            (task, reason) = (.tag, "a label for each word of `\(text.name)`")
            (counts, warning) = (Self.list(tags), nil)
            return
        }
        if column.isNumeric, column.distinct > max(20, rows / 20) || values.contains(where: { $0.contains(".") }) {
            let numbers = values.compactMap { Double($0.filter { !$0.isWhitespace }) }
            (task, reason) = (.regress, "numbers, \(column.distinct) different ones in \(rows) rows")
            (counts, warning) = ("\(numbers.min() ?? 0) to \(numbers.max() ?? 0)", nil)
            return
        }
        let parts: [[String]] = values.map { value in value.split(separator: "|").map { Self.trimmed($0) }.filter { !$0.isEmpty } }
        let several = parts.count { $0.count > 1 }
        var labels: [String: Int] = [:]
        for row in parts { for label in Set(row) { labels[label, default: 0] += 1 } }
        if several * 20 >= rows, labels.count <= Self.mostLabels, labels.count * 2 <= max(rows, 4) {
            (task, reason) = (.multilabel, "\(several) of \(rows) rows have several labels, \"|\" between them")
            (counts, warning) = (Self.list(labels), Self.rare(labels))
            return
        }
        var whole: [String: Int] = [:]
        for value in values { whole[Self.trimmed(value), default: 0] += 1 }
        guard whole.count >= 2, whole.count <= Self.mostLabels, whole.count * 2 <= rows else { return nil }
        (task, reason) = (.classify, "\(whole.count) different values in \(rows) rows" + (column.isNumeric ? "; `regress` if they are amounts" : ""))
        (counts, warning) = (Self.list(whole), Self.rare(whole))
    }

    /// Why a column is no column of labels.
    static func refusal(_ column: ColumnSketch) -> String {
        column.distinct < 2
            ? "all its values are the same" : "it has \(column.distinct) different values in \(column.values.count) rows, too many to be labels"
    }

    /// Label → words, when each row has one for each word of its text and they look like IOB2.
    private static func tags(_ values: [String], _ texts: [String]) -> [String: Int]? {
        var counts: [String: Int] = [:]
        for (value, text) in zip(values, texts) {
            let words = value.split(whereSeparator: \.isWhitespace)
            guard words.count == text.split(whereSeparator: \.isWhitespace).count,
                words.allSatisfy({ $0 == "O" || $0.hasPrefix("B-") || $0.hasPrefix("I-") })
            else { return nil }
            for word in words { counts[String(word), default: 0] += 1 }
        }
        return counts.count >= 2 ? counts : nil
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// "refund 50, delivery 44, … 10 more", on one line.
    private static func list(_ counts: [String: Int]) -> String {
        let ordered = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let shown = ordered.prefix(6).map { label, count in
            let plain = String(label.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) })
            return "\(plain.prefix(30)) \(count)"
        }
        return shown.joined(separator: ", ") + (ordered.count > 6 ? ", … \(ordered.count - 6) more" : "")
    }

    private static func rare(_ counts: [String: Int]) -> String? {
        let few = counts.count { $0.value < 5 }
        return few == 0 ? nil : "\(few) of \(counts.count) labels have fewer than 5 rows: `hidra check` lists them"
    }
}
