import Foundation

/// Actual labels in rows, predicted ones in columns, each cell's colour by its share of the row.
struct ConfusionMatrix {
    let labels: [String]
    /// `counts[actual][predicted]`
    let counts: [[Int]]
    /// What was left out.
    let note: String

    /// Labels that are drawn; of more, those with most errors.
    static let mostLabels = 120

    init(labels: [String], actual: [Int], predicted: [Int]) {
        let count = labels.count
        var errors = [Int](repeating: 0, count: count), present = [Bool](repeating: false, count: count)
        for (truth, guess) in zip(actual, predicted) {
            (present[truth], present[guess]) = (true, true)
            if truth != guess {
                errors[truth] += 1
                errors[guess] += 1
            }
        }
        var shown = (0..<count).filter { present[$0] }, note = ""
        if shown.count > Self.mostLabels {
            note = "the \(Self.mostLabels) of \(shown.count) labels with most errors"
            shown = Array(shown.sorted { (errors[$1], $0) < (errors[$0], $1) }.prefix(Self.mostLabels)).sorted()
        }
        let place = Dictionary(uniqueKeysWithValues: shown.enumerated().map { ($1, $0) })
        var counts = [[Int]](repeating: [Int](repeating: 0, count: shown.count), count: shown.count)
        for (truth, guess) in zip(actual, predicted) {
            if let row = place[truth], let column = place[guess] { counts[row][column] += 1 }
        }
        self.labels = shown.map { labels[$0] }
        (self.counts, self.note) = (counts, note)
    }

    private var cell: Double { max(12, min(44, 560 / Double(max(labels.count, 1)))) }
    private var fontSize: Double { cell >= 24 ? 12 : min(12, cell * 0.78) }
    private static let labelRoom = 190.0

    /// Room it needs, title included.
    func size(_ canvasWidth: (String, Double) -> Double) -> (width: Double, height: Double) {
        let room = labelWidth(canvasWidth)
        let side = cell * Double(labels.count)
        return (max(side + room + 40, 420), side + room + 96)
    }

    private func labelWidth(_ width: (String, Double) -> Double) -> Double {
        min(Self.labelRoom, (labels.map { width($0, fontSize) }.max() ?? 0) + 10)
    }

    func draw(_ canvas: Canvas, in box: Box) {
        let room = labelWidth { canvas.textWidth($0, size: $1) }
        canvas.text("Confusion matrix", at: Point(x: box.x, y: box.y + 10), size: 15, bold: true)
        let subtitle = "rows: actual, columns: predicted; colour: share of the row" + (note.isEmpty ? "" : "; \(note)")
        canvas.text(canvas.fitted(subtitle, size: 11, width: box.width), at: Point(x: box.x, y: box.y + 30), size: 11, .soft)
        let left = box.x + room + 14, top = box.y + 46, side = cell * Double(labels.count)
        for (row, line) in counts.enumerated() {
            let total = line.reduce(0, +), y = top + Double(row) * cell
            canvas.text(
                canvas.fitted(labels[row], size: fontSize, width: room), at: Point(x: left - 6, y: y + cell / 2), size: fontSize, anchor: .right)
            for (column, count) in line.enumerated() where count > 0 {
                let share = Double(count) / Double(max(total, 1)), tone: Colour = row == column ? .blue : .vermilion
                // The root shows single confusions beside a full diagonal.
                let place = Box(x: left + Double(column) * cell, y: y, width: cell, height: cell)
                canvas.fill(place, .mix(.white, tone, 0.08 + 0.92 * share.squareRoot()))
                if cell >= 24 {
                    canvas.text(
                        String(count), at: place.middle, size: min(12, cell * 0.38), anchor: .centre, share > 0.3 ? .white : .ink)
                }
            }
        }
        for (column, label) in labels.enumerated() {
            canvas.text(
                canvas.fitted(label, size: fontSize, width: room),
                at: Point(x: left + (Double(column) + 0.5) * cell, y: top + side + 6), size: fontSize, anchor: .right, upwards: true)
            guard labels.count > 1, column > 0 else { continue }
            let offset = Double(column) * cell
            canvas.line([Point(x: left + offset, y: top), Point(x: left + offset, y: top + side)], .rule, width: 0.5)
            canvas.line([Point(x: left, y: top + offset), Point(x: left + side, y: top + offset)], .rule, width: 0.5)
        }
        canvas.frame(Box(x: left, y: top, width: side, height: side), .soft)
    }
}
