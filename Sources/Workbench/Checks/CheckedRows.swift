import Heads

/// The rows of a data check, training rows first, with what all checks ask of them.
struct CheckedRows: Sendable {
    let request: DataCheckRequest
    /// By columns.
    let columns: [[String]]
    let labels: [String]
    let trainCount: Int
    /// The same for rows that agree but for case and white space.
    let keys: [String]
    /// A cell's labels: one, several of `multilabel`, none of an empty cell.
    let parts: [[String]]

    init(_ request: DataCheckRequest) {
        self.request = request
        trainCount = request.labels.count
        columns = request.texts.enumerated().map { $1 + (request.testTexts.isEmpty ? [] : request.testTexts[$0]) }
        labels = request.labels + request.testLabels
        let columns = columns
        keys = labels.indices.map { row in columns.map { Self.normalised($0[row]) }.joined(separator: "\u{1f}") }
        parts = labels.map { cell in
            let cells = request.task == .multilabel ? cell.split(separator: request.separator).map(String.init) : [cell]
            return cells.map { Self.words($0).joined(separator: " ") }.filter { !$0.isEmpty }
        }
    }

    var count: Int { labels.count }

    /// Every word of every text in lower case, one space apart.
    private static func normalised(_ text: String) -> String { words(text.lowercased()).joined(separator: " ") }
    private static func words(_ text: String) -> [Substring] { text.split(whereSeparator: \.isWhitespace) }

    func isTest(_ row: Int) -> Bool { row >= trainCount }

    func place(_ row: Int) -> RowPlace {
        isTest(row) ? RowPlace(row: row - trainCount + 1, isTest: true) : RowPlace(row: row + 1)
    }

    func isEmpty(_ row: Int) -> Bool { columns.contains { $0[row].allSatisfy(\.isWhitespace) } }

    /// Whether two rows say the same: for several labels in whatever order.
    func agree(_ first: Int, _ second: Int) -> Bool {
        request.task == .multilabel ? Set(parts[first]) == Set(parts[second]) : parts[first] == parts[second]
    }

    /// Of a row, for people.
    func text(_ row: Int) -> String {
        let text = columns.map { $0[row] }.joined(separator: " | ")
        return text.count <= Self.longest ? text : text.prefix(Self.longest - 1) + "…"
    }
    private static let longest = 240

    func example(_ row: Int, with other: Int? = nil, suggestion: String = "", value: Double = 0) -> DataFinding.Example {
        DataFinding.Example(
            row: place(row), text: text(row), label: labels[row], other: other.map(place), otherText: other.map(text) ?? "",
            otherLabel: other.map { labels[$0] } ?? "", suggestion: suggestion, value: value)
    }

    /// nil for a count of 0.
    func finding(
        _ kind: DataFinding.Kind, _ count: Int, _ text: String, _ examples: some Sequence<DataFinding.Example>
    ) -> DataFinding? {
        count == 0 ? nil : DataFinding(kind: kind, count: count, text: text, examples: Array(examples.prefix(request.examples)))
    }
}

extension Int {
    /// "1 row", "2 rows".
    func counted(_ noun: String, _ plural: String? = nil) -> String { "\(self) \(self == 1 ? noun : plural ?? noun + "s")" }
}
