/// The place of the largest element; the first of several; of the first NaN when there is one.
func positionOfLargest(_ x: UnsafePointer<Float>, _ count: Int) -> Int {
    var best = 0
    for i in 1..<max(count, 1) {
        if x[best].isNaN { break }
        if x[i] > x[best] || x[i].isNaN { best = i }
    }
    return best
}

/// The place of the smallest element, by the same rules.
func positionOfSmallest(_ x: UnsafePointer<Float>, _ count: Int) -> Int {
    var best = 0
    for i in 1..<max(count, 1) {
        if x[best].isNaN { break }
        if x[i] < x[best] || x[i].isNaN { best = i }
    }
    return best
}

private func requireElements(_ op: String, _ count: Int) {
    precondition(count > 0, "\(op): an axis of no elements has no largest or smallest")
}

/// The largest value along one axis. The gradient goes to that element only: the first, when several are equal.
package struct LargestAlongAxis: RowReduction {
    package static let name = "max"
    package let axes: [Int]?, keepingAxes: Bool

    package init(_ axis: Int, keepingAxis: Bool = false) {
        axes = [axis]
        keepingAxes = keepingAxis
    }

    package func value(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
        requireElements(Self.name, count)
        return x[positionOfLargest(x, count)]
    }

    package func gradient(
        _ x: UnsafePointer<Float>, _ count: Int, y: Float, dy: Float, dx: UnsafeMutablePointer<Float>
    ) {
        dx.update(repeating: 0, count: count)
        dx[positionOfLargest(x, count)] = dy
    }
}

/// The smallest value along one axis. The gradient goes to that element only: the first, when several are equal.
package struct SmallestAlongAxis: RowReduction {
    package static let name = "min"
    package let axes: [Int]?, keepingAxes: Bool

    package init(_ axis: Int, keepingAxis: Bool = false) {
        axes = [axis]
        keepingAxes = keepingAxis
    }

    package func value(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
        requireElements(Self.name, count)
        return x[positionOfSmallest(x, count)]
    }

    package func gradient(
        _ x: UnsafePointer<Float>, _ count: Int, y: Float, dy: Float, dx: UnsafeMutablePointer<Float>
    ) {
        dx.update(repeating: 0, count: count)
        dx[positionOfSmallest(x, count)] = dy
    }
}

/// The largest value over `axes`; equal ones share the gradient evenly.
package struct Largest: RowReduction {
    package static let name = "amax"
    package let axes: [Int]?, keepingAxes: Bool

    package init(_ axes: [Int]? = nil, keepingAxes: Bool = false) {
        self.axes = axes
        self.keepingAxes = keepingAxes
    }

    package func value(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
        requireElements(Self.name, count)
        return x[positionOfLargest(x, count)]
    }

    package func gradient(
        _ x: UnsafePointer<Float>, _ count: Int, y: Float, dy: Float, dx: UnsafeMutablePointer<Float>
    ) { share(x, count, y, dy, dx) }
}

/// The smallest value over `axes`; equal ones share the gradient evenly.
package struct Smallest: RowReduction {
    package static let name = "amin"
    package let axes: [Int]?, keepingAxes: Bool

    package init(_ axes: [Int]? = nil, keepingAxes: Bool = false) {
        self.axes = axes
        self.keepingAxes = keepingAxes
    }

    package func value(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
        requireElements(Self.name, count)
        return x[positionOfSmallest(x, count)]
    }

    package func gradient(
        _ x: UnsafePointer<Float>, _ count: Int, y: Float, dy: Float, dx: UnsafeMutablePointer<Float>
    ) { share(x, count, y, dy, dx) }
}

private func share(
    _ x: UnsafePointer<Float>, _ count: Int, _ y: Float, _ dy: Float, _ dx: UnsafeMutablePointer<Float>
) {
    func wins(_ i: Int) -> Bool { x[i] == y || (x[i].isNaN && y.isNaN) }
    var winners = 0
    for i in 0..<count where wins(i) { winners += 1 }
    let part = dy / Float(winners)
    for i in 0..<count { dx[i] = wins(i) ? part : 0 }
}

extension Tensor {
    /// Where the largest element along an axis is (the first of several), in the order of the result of `LargestAlongAxis`.
    package func positionsOfLargest(along axis: Int) -> [Int] { positions(along: axis, positionOfLargest) }

    /// Where the smallest element along an axis is (the first of several).
    package func positionsOfSmallest(along axis: Int) -> [Int] { positions(along: axis, positionOfSmallest) }

    private func positions(along axis: Int, _ place: (UnsafePointer<Float>, Int) -> Int) -> [Int] {
        let layout = ReducedAxes(shape, [axis], op: "argmax"), x = layout.rows(detached)
        requireElements("argmax", layout.reduced)
        return (0..<layout.kept).map { place(x.pointer + $0 * layout.reduced, layout.reduced) }
    }
}
