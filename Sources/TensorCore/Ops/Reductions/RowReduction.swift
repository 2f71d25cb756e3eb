import CKernels
import Glibc

/// A reduction that sees all elements of a row at once. Rows are `[kept, reduced]` whatever the axes.
package protocol RowReduction: DifferentiableOp {
    var axes: [Int]? { get }
    var keepingAxes: Bool { get }
    /// The result of one row.
    func value(_ x: UnsafePointer<Float>, _ count: Int) -> Float
    /// `dx` of one row whose result is y.
    func gradient(_ x: UnsafePointer<Float>, _ count: Int, y: Float, dy: Float, dx: UnsafeMutablePointer<Float>)
}

extension RowReduction {
    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let layout = ReducedAxes(inputs[0].shape, axes, op: Self.name), x = layout.rows(inputs[0])
        let output = Tensor(uninitialised: layout.outputShape(keepingAxes: keepingAxes)), count = layout.reduced
        let from = x.pointer, y = output.mutablePointer
        WorkerPool.shared.forRanges(layout.kept, grain: (1 << 14) / max(count, 1) + 1) { range in
            for row in range { y[row] = value(from + row * count, count) }
        }
        return (output, [output])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let layout = ReducedAxes(inputs[0].shape, axes, op: Self.name), x = layout.rows(inputs[0])
        let dx = Tensor(uninitialised: x.shape), count = layout.reduced
        let from = x.pointer, to = dx.mutablePointer, y = saved[0].pointer, dy = gradient.pointer
        WorkerPool.shared.forRanges(layout.kept, grain: (1 << 14) / max(count, 1) + 1) { range in
            for row in range {
                self.gradient(from + row * count, count, y: y[row], dy: dy[row], dx: to + row * count)
            }
        }
        return [layout.restored(dx)]
    }
}

/// Variance over `axes`, divided by `n − correction`; NaN where that is not positive.
package struct Variance: RowReduction {
    package static let name = "var"
    package let axes: [Int]?, keepingAxes: Bool
    package let correction: Int

    package init(_ axes: [Int]? = nil, correction: Int = 1, keepingAxes: Bool = false) {
        self.axes = axes
        self.correction = correction
        self.keepingAxes = keepingAxes
    }

    package func value(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
        let mean = mean(x, count)
        var squares: Double = 0
        for i in 0..<count {
            let difference = Double(x[i]) - mean
            squares += difference * difference
        }
        return count > correction ? Float(squares / Double(count - correction)) : .nan
    }

    /// `dx = 2 (x − mean) / (n − correction) · dy`
    package func gradient(
        _ x: UnsafePointer<Float>, _ count: Int, y: Float, dy: Float, dx: UnsafeMutablePointer<Float>
    ) {
        let mean = mean(x, count), scale = count > correction ? 2 * Double(dy) / Double(count - correction) : .nan
        for i in 0..<count { dx[i] = Float((Double(x[i]) - mean) * scale) }
    }

    private func mean(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
        var sum: Double = 0
        for i in 0..<count { sum += Double(x[i]) }
        return sum / Double(count)
    }
}

/// `ln Σ eˣ` over `axes`, without overflow; −∞ for nothing.
package struct LogSumExp: RowReduction {
    package static let name = "logsumexp"
    package let axes: [Int]?, keepingAxes: Bool

    package init(_ axes: [Int]? = nil, keepingAxes: Bool = false) {
        self.axes = axes
        self.keepingAxes = keepingAxes
    }

    package func value(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
        var largest = -Float.infinity
        for i in 0..<count where x[i] > largest || x[i].isNaN { largest = x[i] }
        // All −∞, or an infinity or NaN that no sum changes.
        if !largest.isFinite { return largest }
        var sum: Float = 0
        for i in 0..<count { sum += expf(x[i] - largest) }
        return largest + logf(sum)
    }

    /// `dx = e^(x − y) · dy`
    package func gradient(
        _ x: UnsafePointer<Float>, _ count: Int, y: Float, dy: Float, dx: UnsafeMutablePointer<Float>
    ) {
        if y == -.infinity { return dx.update(repeating: 0, count: count) }
        for i in 0..<count { dx[i] = expf(x[i] - y) * dy }
    }
}

/// Product over `axes`; 1 for nothing.
package struct Product: RowReduction {
    package static let name = "prod"
    package let axes: [Int]?, keepingAxes: Bool

    package init(_ axes: [Int]? = nil, keepingAxes: Bool = false) {
        self.axes = axes
        self.keepingAxes = keepingAxes
    }

    package func value(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
        var product: Float = 1
        for i in 0..<count { product *= x[i] }
        return product
    }

    /// Each element's gradient is the product of the others: from the left and from the right, so that zeros need no division.
    package func gradient(
        _ x: UnsafePointer<Float>, _ count: Int, y: Float, dy: Float, dx: UnsafeMutablePointer<Float>
    ) {
        var left = dy, right: Float = 1
        for i in 0..<count {
            dx[i] = left
            left *= x[i]
        }
        for i in (0..<count).reversed() {
            dx[i] *= right
            right *= x[i]
        }
    }
}
