import Foundation
import Statistics

/// Accuracy over confidence, with the rows of each bin below: on the diagonal a probability means what it says (DeGroot & Fienberg 1983).
struct ReliabilityDiagram {
    let calibration: Reliability

    private static let both = Colour(0x5aa2d0), modest = Colour(0xa5d6bd), boastful = Colour(0xf0b48a)

    func draw(_ canvas: Canvas, in box: Box) {
        let title = "Calibration: expected error \(String(format: "%.3f", calibration.error))"
        let whole = LineChart.frame(canvas, box, title: title)
        let plot = whole.inset(bottom: whole.height * 0.24)
        let axis = Axis([], fixed: 0...1)
        for tick in axis.ticks {
            let height = plot.bottom - tick * plot.height
            canvas.line([Point(x: plot.x, y: height), Point(x: plot.right, y: height)], .rule)
            canvas.text(axis.text(tick), at: Point(x: plot.x - 7, y: height), size: 11, anchor: .right, .soft)
        }
        for bin in calibration.bins where bin.rows > 0 {
            let left = plot.x + bin.range.lowerBound * plot.width, width = (bin.range.upperBound - bin.range.lowerBound) * plot.width
            func bar(_ from: Double, _ to: Double, _ colour: Colour) {
                canvas.fill(
                    Box(x: left + 1, y: plot.bottom - to * plot.height, width: width - 2, height: (to - from) * plot.height), colour)
            }
            bar(0, min(bin.accuracy, bin.confidence), Self.both)
            if bin.accuracy > bin.confidence { bar(bin.confidence, bin.accuracy, Self.modest) } else {
                bar(bin.accuracy, bin.confidence, Self.boastful)
            }
        }
        canvas.line([Point(x: plot.x, y: plot.bottom), Point(x: plot.right, y: plot.y)], .soft, width: 1.2, dashes: [5, 4])
        canvas.line([Point(x: plot.x, y: plot.bottom), Point(x: plot.right, y: plot.bottom)], .soft)
        canvas.text("accuracy", at: Point(x: plot.x - 42, y: plot.middle.y), size: 11, anchor: .centre, upwards: true, .soft)
        legend(canvas, plot)
        histogram(canvas, Box(x: plot.x, y: plot.bottom + 18, width: plot.width, height: whole.bottom - plot.bottom - 18), axis)
    }

    private func legend(_ canvas: Canvas, _ plot: Box) {
        let filled = calibration.bins.filter { $0.rows > 0 }
        var entries = [("as right as it claims", Self.both)]
        if filled.contains(where: { $0.accuracy > $0.confidence }) { entries.append(("more often right than it claims", Self.modest)) }
        if filled.contains(where: { $0.accuracy < $0.confidence }) { entries.append(("claimed, but not right", Self.boastful)) }
        for (index, (name, colour)) in entries.enumerated() {
            let y = plot.y + 12 + Double(index) * 17
            canvas.fill(Box(x: plot.x + 10, y: y - 5, width: 12, height: 10), colour)
            canvas.text(name, at: Point(x: plot.x + 28, y: y), size: 11, halo: true)
        }
    }

    private func histogram(_ canvas: Canvas, _ box: Box, _ axis: Axis) {
        let most = Double(calibration.bins.map(\.rows).max() ?? 1)
        for bin in calibration.bins {
            let left = box.x + bin.range.lowerBound * box.width, width = (bin.range.upperBound - bin.range.lowerBound) * box.width
            let height = (box.height - 14) * Double(bin.rows) / max(most, 1)
            canvas.fill(Box(x: left + 1, y: box.bottom - height, width: width - 2, height: height), Colour.soft.opacity(0.45))
            if bin.rows > 0 {
                canvas.text(
                    String(bin.rows), at: Point(x: left + width / 2, y: box.bottom - height - 7), size: 9, anchor: .centre, .soft)
            }
        }
        canvas.line([Point(x: box.x, y: box.bottom), Point(x: box.right, y: box.bottom)], .soft)
        for tick in axis.ticks {
            canvas.text(axis.text(tick), at: Point(x: box.x + tick * box.width, y: box.bottom + 13), size: 11, anchor: .centre, .soft)
        }
        canvas.text("confidence (rows below)", at: Point(x: box.middle.x, y: box.bottom + 30), size: 11, anchor: .centre, .soft)
        canvas.text("rows", at: Point(x: box.x - 42, y: box.middle.y), size: 11, anchor: .centre, upwards: true, .soft)
    }
}
