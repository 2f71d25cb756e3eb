import HidraProtocol

/// Writes predictions as they come, batch by batch, in the order of the texts: a table on a terminal, TSV in a pipe,
/// JSON lines with `--json`.
///
/// TSV: a header line, then one line a text: `text` (or a field for each column the heads read), and for each head `HEAD` (label or value) and `HEAD_score`
/// (probability; absent for regression; of words' labels `LABEL: PIECE` and its probability). Several labels of one text are joined by "|" in both columns. A field holding
/// a tab, a line break or a quote at its start is quoted as in CSV.
struct PredictionWriter {
    enum Layout { case table, tsv, json }

    let heads: [String]
    /// What the inputs are: "text" or "image"; or the names of several columns.
    let inputs: [String]
    let layout: Layout
    var style = Style.plain
    var width: Int?
    var header = true
    private var isFirst = true
    private var widths: [Int] = []

    init(
        heads: [String], inputs: [String] = ["text"], layout: Layout, style: Style = .plain, width: Int? = nil,
        header: Bool = true
    ) {
        self.heads = heads
        self.inputs = inputs
        self.layout = layout
        self.style = style
        self.width = width
        self.header = header
    }

    /// Lines for `texts` and their predictions, one `Hidra_V1_Prediction` each.
    mutating func render(_ texts: [String], _ predictions: [Hidra_V1_Prediction]) -> String {
        render(rows: texts.map { [$0] }, predictions)
    }

    /// Lines for rows, each with a text for every one of `inputs`, and their predictions.
    mutating func render(rows: [[String]], _ predictions: [Hidra_V1_Prediction]) -> String {
        defer { isFirst = false }
        switch layout {
        case .table: return table(rows, predictions)
        case .tsv: return tsv(rows, predictions)
        case .json: return zip(rows, predictions).map { json($0, $1).text + "\n" }.joined()
        }
    }

    private func json(_ row: [String], _ prediction: Hidra_V1_Prediction) -> JSON {
        let texts = zip(inputs, row).map { ($0, JSON.string($1)) }
        return .event(
            "prediction",
            (inputs.count == 1 ? texts : [("inputs", .object(texts))]) + [
                ("heads", .object(zip(heads, prediction.heads).map { ($0, $1.json(of: row.first ?? "")) })),
                ("tokens", .unsigned(UInt64(prediction.tokens))), ("truncated", .bool(prediction.truncated)),
            ])
    }

    private func tsv(_ rows: [[String]], _ predictions: [Hidra_V1_Prediction]) -> String {
        guard let model = predictions.first else { return "" }
        var lines = ""
        if isFirst, header {
            let titles = zip(heads, model.heads).flatMap { $1.hasValue ? [$0] : [$0, "\($0)_score"] }
            lines += (inputs + titles).map(Self.field).joined(separator: "\t") + "\n"
        }
        for (row, prediction) in zip(rows, predictions) {
            var fields = row.map(Self.field)
            for head in prediction.heads {
                if head.hasValue {
                    fields.append(head.value.description)
                } else if !head.spans.isEmpty {
                    fields.append(
                        Self.field(head.spans.map { "\($0.label): \($0.text(in: row.first ?? ""))" }.joined(separator: "|")))
                    fields.append(head.spans.map { Format.fixed($0.score, 4) }.joined(separator: "|"))
                } else {
                    fields.append(Self.field(head.labels.map(\.label).joined(separator: "|")))
                    fields.append(head.labels.map { Format.fixed($0.score, 4) }.joined(separator: "|"))
                }
            }
            lines += fields.joined(separator: "\t") + "\n"
        }
        return lines
    }

    /// One field of a TSV line.
    static func field(_ text: String) -> String {
        let special = text.hasPrefix("\"") || text.contains { $0 == "\t" || $0.isNewline }
        return special ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }

    private mutating func table(_ rows: [[String]], _ predictions: [Hidra_V1_Prediction]) -> String {
        var grid = Grid(inputs.map { .init($0.uppercased(), flexible: true) } + heads.map { .init($0) })
        grid.atLeast = widths
        for (row, prediction) in zip(rows, predictions) {
            let cells = prediction.heads.map { Self.cells($0, row.first ?? "") }
            for line in 0..<max(1, cells.map(\.count).max() ?? 1) {
                grid.rows.append(row.map { line == 0 ? $0 : "" } + cells.map { line < $0.count ? $0[line] : "" })
            }
        }
        widths = grid.widths(within: width)
        return grid.render(width: width, style: style, header: isFirst && header)
    }

    /// What a terminal shows for one head: a line a label, best first.
    private static func cells(_ head: Hidra_V1_HeadPrediction, _ text: String) -> [String] {
        if head.hasValue { return [Format.metric(head.value)] }
        if !head.spans.isEmpty {
            return head.spans.map { "\($0.label): \($0.text(in: text)) \(Format.fixed($0.score, 2))" }
        }
        // Of a multilabel head, when no label is above its threshold.
        if head.labels.isEmpty { return ["(none)"] }
        return head.labels.map { "\($0.label) \(Format.fixed($0.score, 2))" }
    }
}
