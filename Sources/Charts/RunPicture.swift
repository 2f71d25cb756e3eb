package import Statistics

/// What a run looks like: learning curves, confusions, calibration and a map of its test rows, as far as there is something to show.
package struct RunPicture: Sendable {
    package struct Curve: Sendable {
        package var name: String
        /// Step and value.
        package var points: [(step: Double, value: Double)]

        package init(name: String, points: [(step: Double, value: Double)]) { (self.name, self.points) = (name, points) }
    }

    package enum Panel: String, Sendable, CaseIterable { case curves, confusion, calibration, map }

    package var title: String
    package var subtitle = ""
    package var curves: [Curve] = []
    package var labels: [String] = []
    package var actual: [Int] = [], predicted: [Int] = []
    /// Of regression, instead of labels.
    package var actualValues: [Double] = [], predictedValues: [Double] = []
    package var calibration: Reliability?
    /// Two coordinates of each point, and for its colour the position of its name in `mapNames`.
    package var map: [(x: Double, y: Double)] = []
    package var mapKinds: [Int] = []
    package var mapNames: [String] = []
    package var mapSubtitle = ""

    package init(title: String) { self.title = title }

    /// Panels that there is something to draw for.
    package var panels: [Panel] {
        Panel.allCases.filter { panel in
            switch panel {
            case .curves: curves.contains { !$0.points.isEmpty }
            case .confusion: !actual.isEmpty || !actualValues.isEmpty
            case .calibration: calibration != nil
            case .map: !map.isEmpty
            }
        }
    }

    private static let margin = 36.0, gap = 40.0, column = 520.0, head = 62.0

    /// - Throws: `ChartError` when there is nothing to draw, or the file cannot be written.
    package func write(to path: String, format: PictureFormat, only wanted: [Panel] = Panel.allCases) throws {
        let shown = panels.filter(wanted.contains)
        guard !shown.isEmpty else { throw ChartError("there is nothing to draw") }
        let parts = try Parts(self, shown)
        let canvas = try Canvas(width: parts.width, height: parts.height, path: path, format: format)
        canvas.text(
            canvas.fitted(title, size: 20, width: parts.width - 2 * Self.margin, bold: true),
            at: Point(x: Self.margin, y: Self.margin), size: 20, bold: true)
        canvas.text(
            canvas.fitted(subtitle, size: 12, width: parts.width - 2 * Self.margin), at: Point(x: Self.margin, y: Self.margin + 24), size: 12,
            .soft)
        for (panel, box) in parts.boxes { draw(panel, canvas, box, parts) }
        try canvas.finish()
    }

    /// Where each panel goes: curves and calibration left, confusions right of them, the map below over the whole width.
    private struct Parts {
        var boxes: [(Panel, Box)] = []
        var width = 0.0, height = 0.0
        var confusion: ConfusionMatrix?

        init(_ picture: RunPicture, _ shown: [Panel]) throws {
            var matrixSize: (width: Double, height: Double) = (620, 560)
            if shown.contains(.confusion), !picture.actual.isEmpty {
                let matrix = ConfusionMatrix(labels: picture.labels, actual: picture.actual, predicted: picture.predicted)
                // Text is measured as it will be drawn; this canvas is never written.
                let ruler = try Canvas(width: 1, height: 1, path: "", format: .png)
                matrixSize = matrix.size { ruler.textWidth($0, size: $1) }
                confusion = matrix
            }
            let left = shown.filter { $0 == .curves || $0 == .calibration }
            let top = margin + head
            let groups = picture.groups.count
            var y = top
            let stretch = shown.contains(.confusion) ? max(0, matrixSize.height - 340 * Double(left.count)) : 0
            for panel in left {
                let share = stretch / Double(left.count) * 0.5
                let tall = (panel == .curves ? 170.0 + 190 * Double(max(0, groups - 1)) + 60 : 400) + share
                boxes.append((panel, Box(x: margin, y: y, width: column, height: tall)))
                y += tall + gap
            }
            var right = left.isEmpty ? margin : margin + column
            if shown.contains(.confusion) {
                let x = left.isEmpty ? margin : margin + column + gap
                boxes.append((.confusion, Box(x: x, y: top, width: matrixSize.width, height: matrixSize.height)))
                right = x + matrixSize.width
                y = max(y, top + matrixSize.height + gap)
            }
            if shown.contains(.map) {
                let wide = max(right - margin, 900), tall = min(wide * 0.62, 900)
                boxes.append((.map, Box(x: margin, y: y, width: wide, height: tall)))
                right = max(right, margin + wide)
                y += tall + gap
            }
            (width, height) = (right + margin, y - gap + margin)
        }
    }

    /// Curves of one measure together: those whose names end alike, as "intent.loss" and "urgency.loss" do.
    fileprivate var groups: [(name: String, curves: [Curve])] {
        func measure(_ name: String) -> String { name.split(whereSeparator: { $0 == "." || $0 == "/" }).last.map(String.init) ?? name }
        let names = curves.map { measure($0.name) }.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return names.map { name in (name, curves.filter { measure($0.name) == name }) }
    }

    private func draw(_ panel: Panel, _ canvas: Canvas, _ box: Box, _ parts: Parts) {
        switch panel {
        case .curves:
            let groups = groups, height = box.height / Double(max(groups.count, 1))
            for (index, group) in groups.enumerated() {
                let series = group.curves.map { curve in
                    LineChart.Series(
                        name: curve.name.replacing("_", with: " "), points: curve.points.map { Point(x: $0.step, y: $0.value) })
                }
                LineChart(title: group.name.replacing("_", with: " ").capitalisedFirst, series: series, horizontal: "step").draw(
                    canvas, in: Box(x: box.x, y: box.y + Double(index) * height, width: box.width, height: height))
            }
        case .confusion:
            if let confusion = parts.confusion { confusion.draw(canvas, in: box) } else { drawValues(canvas, box) }
        case .calibration:
            if let calibration { ReliabilityDiagram(calibration: calibration).draw(canvas, in: box) }
        case .map:
            ScatterMap(
                title: "Map of the test rows", subtitle: mapSubtitle, points: map.map { Point(x: $0.x, y: $0.y) }, kinds: mapKinds,
                names: mapNames
            ).draw(canvas, in: box)
        }
    }

    /// Predicted numbers over actual ones.
    private func drawValues(_ canvas: Canvas, _ box: Box) {
        let plot = LineChart.frame(canvas, box, title: "Predicted and actual values").inset(left: 16)
        let axis = Axis(actualValues + predictedValues)
        LineChart.axes(canvas, plot, axis, axis, "actual", "predicted")
        canvas.line([Point(x: plot.x, y: plot.bottom), Point(x: plot.right, y: plot.y)], .soft, width: 1.2, dashes: [5, 4])
        for (actual, predicted) in zip(actualValues, predictedValues) where actual.isFinite && predicted.isFinite {
            canvas.dot(
                Point(x: plot.x + axis.share(actual) * plot.width, y: plot.bottom - axis.share(predicted) * plot.height), radius: 2.6,
                Colour.blue.opacity(0.5))
        }
    }
}

extension String {
    fileprivate var capitalisedFirst: String { prefix(1).uppercased() + dropFirst() }
}
