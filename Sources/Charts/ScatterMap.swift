import Foundation

/// Points on a plane, coloured by kind; each kind's name stands at its middle where there is room, or in a legend when there are few.
struct ScatterMap {
    let title: String
    let subtitle: String
    let points: [Point]
    /// Position in `names` of each point.
    let kinds: [Int]
    let names: [String]

    private static let mostInLegend = 20

    func draw(_ canvas: Canvas, in box: Box) {
        canvas.text(title, at: Point(x: box.x, y: box.y + 10), size: 15, bold: true)
        canvas.text(canvas.fitted(subtitle, size: 11, width: box.width), at: Point(x: box.x, y: box.y + 30), size: 11, .soft)
        let used = Set(kinds).sorted(), colours = Colour.kinds(used.count)
        let colour = Dictionary(uniqueKeysWithValues: zip(used, colours))
        let isFew = used.count <= Self.mostInLegend
        let legendWidth = isFew ? min(220, (used.map { canvas.textWidth(names[$0], size: 11) }.max() ?? 0) + 30) : 0
        let plot = box.inset(top: 44, right: legendWidth, bottom: 8)
        canvas.frame(plot, .rule)
        let x = Axis(points.map(\.x)), y = Axis(points.map(\.y))
        let placed = points.map { Point(x: plot.x + x.share($0.x) * plot.width, y: plot.bottom - y.share($0.y) * plot.height) }
        let radius = points.count > 5_000 ? 1.6 : points.count > 800 ? 2.2 : 3.2
        for (point, kind) in zip(placed, kinds) { canvas.dot(point, radius: radius, (colour[kind] ?? .soft).opacity(0.6)) }
        if isFew {
            for (row, kind) in used.enumerated() {
                let place = Point(x: plot.right + 14, y: plot.y + 10 + Double(row) * 18)
                canvas.dot(place, radius: 5, colour[kind] ?? .soft)
                canvas.text(canvas.fitted(names[kind], size: 11, width: legendWidth - 26), at: Point(x: place.x + 11, y: place.y), size: 11)
            }
        } else {
            name(canvas, plot, placed, used, colour)
        }
    }

    /// The largest kinds first; a name that would cover another tries places around its middle and is left out if none is free.
    private func name(_ canvas: Canvas, _ plot: Box, _ placed: [Point], _ used: [Int], _ colour: [Int: Colour]) {
        var members: [Int: [Point]] = [:]
        for (point, kind) in zip(placed, kinds) { members[kind, default: []].append(point) }
        var taken: [Box] = []
        let order = used.sorted { (members[$1]?.count ?? 0, $0) < (members[$0]?.count ?? 0, $1) }
        for kind in order {
            let own = members[kind] ?? []
            let middle = Point(x: Self.median(own.map(\.x)), y: Self.median(own.map(\.y)))
            let name = canvas.fitted(names[kind].replacingOccurrences(of: "_", with: " "), size: 10, width: 190)
            let width = canvas.textWidth(name, size: 10, bold: true) + 6
            for step in [0.0, -15, 15, -30, 30, -45, 45] {
                let centre = min(max(middle.x, plot.x + width / 2 + 2), plot.right - width / 2 - 2)
                let place = Box(x: centre - width / 2, y: middle.y + step - 7, width: width, height: 14)
                guard place.y > plot.y, place.bottom < plot.bottom, !taken.contains(where: place.overlaps) else { continue }
                taken.append(place)
                canvas.text(
                    name, at: place.middle, size: 10, anchor: .centre, bold: true, .mix(colour[kind] ?? .ink, .ink, 0.45), halo: true)
                break
            }
        }
        if taken.count < used.count {
            canvas.text(
                "names of \(taken.count) of \(used.count) labels, where there was room", at: Point(x: plot.right - 6, y: plot.bottom - 10), size: 10,
                anchor: .right, .soft, halo: true)
        }
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}
