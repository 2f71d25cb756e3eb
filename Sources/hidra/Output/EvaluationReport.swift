import HidraProtocol

/// What `eval` and `train` tell about test rows.
struct EvaluationReport {
    let reply: Hidra_V1_EvaluateReply
    /// Classes beyond this are left out of the table, unless all are asked for.
    static let classLimit = 20
    static let confusionLimit = 10

    /// "accuracy 0.9312 · macro-F1 0.9310", in the order people look for them.
    var headline: String {
        EvaluationReport.metrics(reply.metrics).map { "\($0.title) \(Format.metric($0.value))" }.joined(
            separator: " · ")
    }

    /// Known metrics first and under their usual names, then the rest by name.
    static func metrics(_ values: [String: Double]) -> [(title: String, value: Double)] {
        let known = [
            ("accuracy", "accuracy"), ("micro_f1", "micro-F1"), ("macro_f1", "macro-F1"),
            ("subset_accuracy", "subset accuracy"), ("span_f1", "span F1"), ("span_precision", "precision"), ("span_recall", "recall"), ("word_accuracy", "word accuracy"),
            ("ece", "ECE"), ("ece_uncalibrated", "ECE uncalibrated"), ("mae", "MAE"), ("rmse", "RMSE"), ("r2", "R²"),
        ]
        let first = known.compactMap { key, title in values[key].map { (title, $0) } }
        let rest = values.filter { entry in !known.contains { $0.0 == entry.key } }.sorted { $0.key < $1.key }
        return first + rest.map { ($0.key.replacing("_", with: " "), $0.value) }
    }

    /// The whole report. Without `allClasses` a long class table shows only the worst.
    func render(allClasses: Bool, width: Int?, style: Style) -> String {
        var text = ""
        var facts = Facts()
        facts.add("head", reply.head)
        facts.add("rows", Format.count(reply.rows) + (reply.seconds > 0 ? " in \(Format.duration(reply.seconds))" : ""))
        for metric in Self.metrics(reply.metrics) { facts.add(metric.title, style.bold(Format.metric(metric.value))) }
        text += facts.render(style: style)
        text += classTable(all: allClasses, width: width, style: style)
        text += confusionTable(width: width, style: style)
        return text
    }

    /// Worst F1 first; of equals, the one with more rows.
    var worstFirst: [Hidra_V1_ClassReport] {
        reply.classes.sorted { ($0.f1, $1.support, $0.label) < ($1.f1, $0.support, $1.label) }
    }

    private func classTable(all: Bool, width: Int?, style: Style) -> String {
        guard !reply.classes.isEmpty else { return "" }
        let cut = !all && reply.classes.count > Self.classLimit
        let shown = cut ? Array(worstFirst.prefix(Self.classLimit)) : worstFirst
        var grid = Grid([
            .init("CLASS", flexible: true), .init("PRECISION", right: true), .init("RECALL", right: true),
            .init("F1", right: true), .init("ROWS", right: true),
        ])
        for row in shown {
            grid.add(
                row.label, Format.fixed(row.precision, 3), Format.fixed(row.recall, 3), Format.fixed(row.f1, 3),
                Format.count(row.support))
        }
        let total = Format.count(UInt64(reply.classes.count))
        let more = cut ? "The worst \(Self.classLimit) of \(total) classes; --all shows every one." : ""
        return "\n" + grid.render(width: width, style: style) + (cut ? style.dim(more) + "\n" : "")
    }

    private func confusionTable(width: Int?, style: Style) -> String {
        guard !reply.confusions.isEmpty else { return "" }
        var grid = Grid([
            .init("ACTUAL", flexible: true), .init("PREDICTED AS", flexible: true), .init("ROWS", right: true),
        ])
        for pair in reply.confusions.prefix(Self.confusionLimit) {
            grid.add(pair.actual, pair.predicted, Format.count(pair.count))
        }
        return "\n" + grid.render(width: width, style: style)
    }
}
