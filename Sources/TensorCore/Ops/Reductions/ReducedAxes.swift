import CKernels

/// Which axes a reduction takes away, for one shape: the tensor is laid out as rows `[kept, reduced]`, each of which becomes one
/// number.
struct ReducedAxes {
    let shape: Shape
    /// Sorted, from 0.
    let axes: [Int]
    private let order: [Int]
    private let permuted: Shape

    /// `axes` nil: all. Negative axes count from the end.
    init(_ shape: Shape, _ axes: [Int]?, op: String) {
        let resolved = (axes ?? Array(0..<shape.rank)).map { $0 < 0 ? $0 + shape.rank : $0 }
        precondition(
            resolved.allSatisfy { (0..<shape.rank).contains($0) } && Set(resolved).count == resolved.count,
            "\(op): axes \(axes ?? []) of shape \(shape)")
        self.shape = shape
        self.axes = resolved.sorted()
        let reduced = Set(resolved)
        order = (0..<shape.rank).filter { !reduced.contains($0) } + self.axes
        permuted = Shape(order.map { shape[$0] })
    }

    /// The number of rows, and of elements in each.
    var kept: Int { Shape(Array(permuted.dimensions.dropLast(axes.count))).count }
    var reduced: Int { axes.reduce(1) { $0 * shape[$1] } }

    /// The result's shape: without the reduced axes, or with one element along each.
    func outputShape(keepingAxes: Bool) -> Shape {
        guard keepingAxes else { return Shape(Array(permuted.dimensions.dropLast(axes.count))) }
        return Shape((0..<shape.rank).map { axes.contains($0) ? 1 : shape[$0] })
    }

    /// `[kept, reduced]`, copied only when the reduced axes are not the last.
    func rows(_ x: Tensor) -> Tensor { x.permutedView(order).reshapedView([kept, reduced]) }

    /// Rows back in the original order of axes: a view.
    func restored(_ rows: Tensor) -> Tensor {
        var inverse = order
        for (axis, source) in order.enumerated() { inverse[source] = axis }
        return rows.reshapedView(permuted).permutedView(inverse)
    }

    /// A tensor of the result's shape with one element along each reduced axis: it broadcasts over the input.
    func stretchable(_ result: Tensor) -> Tensor { result.reshapedView(outputShape(keepingAxes: true)) }
}

extension Tensor {
    /// Σ over `axes` (from 0, sorted), which stay with one element each. From the last axis to the first, one pass a run of
    /// neighbours; each pass leaves less for the next.
    func sum(over axes: [Int]) -> Tensor {
        var result = contiguous(), dimensions = shape.dimensions
        var remaining = axes
        while let last = remaining.popLast() {
            var first = last
            while let next = remaining.last, next == first - 1 { first = remaining.removeLast() }
            let outer = dimensions[..<first].reduce(1, *), inner = dimensions[(last + 1)...].reduce(1, *)
            let middle = dimensions[first...last].reduce(1, *)
            let sums = Tensor(uninitialised: [outer, inner])
            sumMiddle(outer, middle, inner, result.pointer, sums.mutablePointer)
            for axis in first...last { dimensions[axis] = 1 }
            result = sums
        }
        return result.reshapedView(Shape(dimensions))
    }
}

/// `y[outer, inner] = Σ over middle of x[outer, middle, inner]`
private func sumMiddle(
    _ outer: Int, _ middle: Int, _ inner: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) {
    let pool = WorkerPool.shared, grain = 1 << 16
    if inner == 1 {
        pool.forRanges(outer, grain: grain / max(middle, 1) + 1) { range in
            for row in range { y[row] = ck_sum_f32(middle, x + row * middle) }
        }
    } else if outer == 1 {
        // Whole cache lines for each thread.
        pool.forRanges((inner + 15) / 16, grain: grain / max(16 * middle, 1) + 1) { range in
            let from = range.lowerBound * 16, to = min(range.upperBound * 16, inner)
            ck_sum_rows_f32(middle, to - from, x + from, inner, y + from)
        }
    } else {
        pool.forRanges(outer, grain: grain / max(middle * inner, 1) + 1) { range in
            for index in range {
                ck_sum_rows_f32(middle, inner, x + index * middle * inner, inner, y + index * inner)
            }
        }
    }
}
