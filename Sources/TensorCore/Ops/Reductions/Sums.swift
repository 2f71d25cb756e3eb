import CKernels

/// Sum over `axes` (nil: all; negative from the end).
package struct Sum: DifferentiableOp {
    package static let name = "sum"
    package let axes: [Int]?
    package let keepingAxes: Bool

    package init(_ axes: [Int]? = nil, keepingAxes: Bool = false) {
        self.axes = axes
        self.keepingAxes = keepingAxes
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let layout = ReducedAxes(inputs[0].shape, axes, op: Self.name)
        return (inputs[0].sum(over: layout.axes).reshapedView(layout.outputShape(keepingAxes: keepingAxes)), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let layout = ReducedAxes(inputs[0].shape, axes, op: Self.name)
        return [layout.stretchable(gradient).expandedView(layout.shape)]
    }
}

/// Mean over `axes` (nil: all); NaN where there is nothing to average.
package struct Mean: DifferentiableOp {
    package static let name = "mean"
    package let axes: [Int]?
    package let keepingAxes: Bool

    package init(_ axes: [Int]? = nil, keepingAxes: Bool = false) {
        self.axes = axes
        self.keepingAxes = keepingAxes
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let layout = ReducedAxes(inputs[0].shape, axes, op: Self.name), count = Float(layout.reduced)
        let mean = inputs[0].sum(over: layout.axes).map { $0 / count }
        return (mean.reshapedView(layout.outputShape(keepingAxes: keepingAxes)), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let layout = ReducedAxes(inputs[0].shape, axes, op: Self.name), count = Float(layout.reduced)
        return [layout.stretchable(gradient.map { $0 / count }).expandedView(layout.shape)]
    }
}

/// A reduction `finish(Σ term(x))` over some axes, given as a formula.
package protocol SummingReduction: DifferentiableOp {
    var axes: [Int]? { get }
    var keepingAxes: Bool { get }
    func term(_ x: Float) -> Float
    func finish(_ sum: Float) -> Float
    /// The slope of the result y along one element x.
    func slope(_ x: Float, _ y: Float) -> Float
}

extension SummingReduction {
    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let layout = ReducedAxes(inputs[0].shape, axes, op: Self.name)
        let y = inputs[0].map { term($0) }.sum(over: layout.axes).map { finish($0) }
        let output = y.reshapedView(layout.outputShape(keepingAxes: keepingAxes))
        return (output, [output])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let layout = ReducedAxes(inputs[0].shape, axes, op: Self.name)
        let dy = layout.stretchable(gradient), y = layout.stretchable(saved[0])
        return [broadcast(Self.name, inputs[0], y, dy) { slope($0, $1) * $2 }]
    }
}

/// `Σ |x|`; the slope at 0 is 0.
package struct L1Norm: SummingReduction {
    package static let name = "l1_norm"
    package let axes: [Int]?, keepingAxes: Bool

    package init(_ axes: [Int]? = nil, keepingAxes: Bool = false) {
        self.axes = axes
        self.keepingAxes = keepingAxes
    }

    package func term(_ x: Float) -> Float { abs(x) }
    package func finish(_ sum: Float) -> Float { sum }
    package func slope(_ x: Float, _ y: Float) -> Float { x > 0 ? 1 : x < 0 ? -1 : x }
}

/// `√Σ x²`; the slope is 0 where the norm is 0.
package struct L2Norm: SummingReduction {
    package static let name = "l2_norm"
    package let axes: [Int]?, keepingAxes: Bool

    package init(_ axes: [Int]? = nil, keepingAxes: Bool = false) {
        self.axes = axes
        self.keepingAxes = keepingAxes
    }

    package func term(_ x: Float) -> Float { x * x }
    package func finish(_ sum: Float) -> Float { sum.squareRoot() }
    package func slope(_ x: Float, _ y: Float) -> Float { y == 0 ? 0 : x / y }
}

/// `Σ x²`
package struct SumOfSquares: SummingReduction {
    package static let name = "sum_of_squares"
    package let axes: [Int]?, keepingAxes: Bool

    package init(_ axes: [Int]? = nil, keepingAxes: Bool = false) {
        self.axes = axes
        self.keepingAxes = keepingAxes
    }

    package func term(_ x: Float) -> Float { x * x }
    package func finish(_ sum: Float) -> Float { sum }
    package func slope(_ x: Float, _ y: Float) -> Float { 2 * x }
}
