import Foundation
import HidraPlugin

/// What the plugin prints at the end: what each head cost and is worth, and what the heads say about unseen messages.
struct Report {
    let tickets: Tickets
    let encoder: String

    func print(_ heads: [TrainedHead], _ answers: Predictions) {
        let encoded = heads.reduce(0) { $0 + $1.cacheMisses }, reused = heads.reduce(0) { $0 + $1.cacheHits }
        Swift.print("\(tickets.count) support messages, encoder \(encoder): \(encoded) encoded, \(reused) taken from the feature cache\n")
        table(
            ["head", "labels", "extract s", "train s", "steps/s", "test rows", "accuracy", "macro-F1"],
            heads.map { head in
                let metrics = head.evaluation?.metrics ?? [:]
                return [
                    head.name, String(head.labels.count), format(head.seconds.extracting, 2), format(head.seconds.training, 2),
                    format(head.stepsPerSecond, 0), String(head.evaluation?.rows ?? 0), format(metrics["accuracy"] ?? 0, 3),
                    format(metrics["macro_f1"] ?? 0, 3),
                ]
            })
        let milliseconds = format(answers.seconds * 1000, 1)
        Swift.print(
            "\n\(tickets.unseen.count) unseen messages, \(answers.heads.count) heads, each encoded once for all of them, \(milliseconds) ms\n")
        for (text, answer) in zip(tickets.unseen, answers.texts) {
            Swift.print("  \(text)")
            let labels = zip(answers.heads, answer).map { head, answer in
                let score = answer.scores.first.map { " \(Int(($0.probability * 100).rounded())) %" } ?? ""
                return "\(head.replacing("ticket-", with: "")): \(answer.label ?? "–")\(score)"
            }
            Swift.print("    → \(labels.joined(separator: "   "))\n")
        }
    }

    private func table(_ header: [String], _ rows: [[String]]) {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        for row in [header, widths.map { String(repeating: "─", count: $0) }] + rows {
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }
            Swift.print("  \(cells.joined(separator: "  "))")
        }
    }

    private func format(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
