/// Lines over steps, with axes and, for several, a legend.
struct LineChart {
    struct Series {
        var name: String
        var points: [Point]
    }

    let title: String
    let series: [Series]
    let horizontal: String

    func draw(_ canvas: Canvas, in box: Box) {
        let plot = Self.frame(canvas, box, title: title, legend: series.count > 1 ? series.map(\.name) : [])
        let x = Axis(series.flatMap { $0.points.map(\.x) } + [0], ticks: 6), y = Axis(series.flatMap { $0.points.map(\.y) })
        Self.axes(canvas, plot, x, y, horizontal)
        for (line, colour) in zip(series, Colour.kinds(series.count)) {
            let points = line.points.filter { $0.x.isFinite && $0.y.isFinite }.map {
                Point(x: plot.x + x.share($0.x) * plot.width, y: plot.bottom - y.share($0.y) * plot.height)
            }
            canvas.line(points, colour, width: 2)
            if points.count <= 60 { for point in points { canvas.dot(point, radius: 2.4, colour) } }
        }
    }

    /// Draws title and legend; returns what is left for the plot.
    static func frame(_ canvas: Canvas, _ box: Box, title: String, legend: [String] = []) -> Box {
        canvas.text(canvas.fitted(title, size: 15, width: box.width, bold: true), at: Point(x: box.x, y: box.y + 10), size: 15, bold: true)
        var x = box.x + 52, y = box.y + 32
        for (name, colour) in zip(legend, Colour.kinds(legend.count)) {
            let width = canvas.textWidth(name, size: 11) + 34
            if x + width > box.right, x > box.x + 52 { (x, y) = (box.x + 52, y + 16) }
            canvas.line([Point(x: x, y: y), Point(x: x + 16, y: y)], colour, width: 3)
            canvas.text(name, at: Point(x: x + 21, y: y), size: 11)
            x += width
        }
        return box.inset(left: 52, top: (legend.isEmpty ? 28 : y - box.y + 16), right: 12, bottom: 42)
    }

    static func axes(_ canvas: Canvas, _ plot: Box, _ x: Axis, _ y: Axis, _ horizontal: String, _ vertical: String = "") {
        for tick in y.ticks {
            let height = plot.bottom - y.share(tick) * plot.height
            canvas.line([Point(x: plot.x, y: height), Point(x: plot.right, y: height)], .rule)
            canvas.text(y.text(tick), at: Point(x: plot.x - 7, y: height), size: 11, anchor: .right, .soft)
        }
        for tick in x.ticks {
            let place = plot.x + x.share(tick) * plot.width
            canvas.line([Point(x: place, y: plot.bottom), Point(x: place, y: plot.bottom + 4)], .soft)
            canvas.text(x.text(tick), at: Point(x: place, y: plot.bottom + 13), size: 11, anchor: .centre, .soft)
        }
        canvas.line([Point(x: plot.x, y: plot.bottom), Point(x: plot.right, y: plot.bottom)], .soft)
        canvas.text(horizontal, at: Point(x: plot.middle.x, y: plot.bottom + 30), size: 11, anchor: .centre, .soft)
        if !vertical.isEmpty {
            canvas.text(vertical, at: Point(x: plot.x - 42, y: plot.middle.y), size: 11, anchor: .centre, upwards: true, .soft)
        }
    }
}
