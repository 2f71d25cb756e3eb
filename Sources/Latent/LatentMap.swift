import Glibc
package import Images
package import TensorCore

/// Codes on a plane: those of their two largest axes, each label in a colour of its own, or the image itself in the place of a dot.
package struct LatentMap {
    package let side: Int

    package init(side: Int = 800) { self.side = side }

    /// Colours that are told apart on black (after Tableau 10, brightened), in the order of the sorted labels.
    package static let colours: [(UInt8, UInt8, UInt8)] = [
        (31, 150, 255), (255, 127, 14), (60, 200, 60), (240, 60, 60), (170, 110, 240), (190, 120, 90), (250, 130, 210), (170, 170, 170),
        (220, 220, 50), (40, 210, 220),
    ]

    /// Places `[rows][2]` within 0…1, from the axes; and the share of the variance that the plane shows.
    package static func places(_ codes: Tensor) -> (places: [(Double, Double)], explained: Double) {
        let axes = PrincipalAxes(codes, count: 2), rows = codes.shape[0], width = codes.shape[1], x = codes.contiguous()
        let points = (0..<rows).map { row -> (Double, Double) in
            func along(_ axis: Int) -> Double {
                guard axis < axes.vectors.count else { return 0 }
                return (0..<width).reduce(0.0) { $0 + axes.vectors[axis][$1] * (Double(x.pointer[row * width + $1]) - axes.mean[$1]) }
            }
            return (along(0), along(1))
        }
        // One scale for both, so that distances mean something.
        let reach = points.reduce(1e-9) { max($0, abs($1.0), abs($1.1)) }
        let explained = axes.total > 0 ? axes.variances.reduce(0, +) / axes.total : 0
        return (points.map { (0.5 + 0.48 * $0.0 / reach, 0.5 + 0.48 * $0.1 / reach) }, explained)
    }

    /// A dot for each code. Codes `[rows, code]`; labels may be empty.
    package func dots(_ codes: Tensor, labels: [String]) -> (image: RGBImage, explained: Double) {
        var pixels = [UInt8](repeating: 12, count: side * side * 3)
        let (places, explained) = Self.places(codes), names = Array(Set(labels)).sorted()
        let index = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        for (row, place) in places.enumerated() {
            let colour = labels.isEmpty ? (230, 230, 230) : Self.colours[(index[labels[row]] ?? 0) % Self.colours.count]
            let x = Int(place.0 * Double(side)), y = Int((1 - place.1) * Double(side))
            for dy in -2...2 {
                for dx in -2...2 where dx * dx + dy * dy <= 5 {
                    let u = x + dx, v = y + dy
                    guard (0..<side).contains(u), (0..<side).contains(v) else { continue }
                    let at = (v * side + u) * 3
                    (pixels[at], pixels[at + 1], pixels[at + 2]) = colour
                }
            }
        }
        return (RGBImage(width: side, height: side, pixels: pixels), explained)
    }

    /// What is decoded over the plane of the two largest axes, `count` × `count` codes from −`reach` to +`reach` deviations.
    package static func plane(_ codes: Tensor, count: Int, reach: Double = 2) -> Tensor {
        let axes = PrincipalAxes(codes, count: 2), width = codes.shape[1], result = Tensor(uninitialised: [count * count, width])
        for row in 0..<count {
            for column in 0..<count {
                func at(_ index: Int) -> Double { count == 1 ? 0 : reach * (2 * Double(index) / Double(count - 1) - 1) }
                for i in 0..<width {
                    var value = axes.mean[i]
                    if axes.vectors.count > 0 { value += at(column) * axes.variances[0].squareRoot() * axes.vectors[0][i] }
                    if axes.vectors.count > 1 { value -= at(row) * axes.variances[1].squareRoot() * axes.vectors[1][i] }
                    result.mutablePointer[(row * count + column) * width + i] = Float(value)
                }
            }
        }
        return result
    }
}
