/// The same elements under another shape.
package struct Reshape: DifferentiableOp {
    package static let name = "reshape"
    package let shape: Shape

    package init(_ shape: Shape) { self.shape = shape }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) { (inputs[0].reshapedView(shape), []) }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [gradient.reshapedView(inputs[0].shape)]
    }
}

extension Shape {
    /// Dimensions of which one may be −1: it becomes whatever `count` elements leave for it. Nil when nothing fits.
    package init?(_ dimensions: [Int], fitting count: Int) {
        guard let free = dimensions.firstIndex(of: -1) else {
            guard dimensions.allSatisfy({ $0 >= 0 }), dimensions.reduce(1, *) == count else { return nil }
            self.init(dimensions)
            return
        }
        var dimensions = dimensions
        dimensions[free] = 1
        let rest = dimensions.allSatisfy { $0 >= 0 } ? dimensions.reduce(1, *) : 0
        guard rest > 0, count % rest == 0 else { return nil }
        dimensions[free] = count / rest
        self.init(dimensions)
    }
}

/// Axes reordered: axis `i` of the result is axis `order[i]` of the input. The result is a view.
package struct Permute: DifferentiableOp {
    package static let name = "permute"
    package static let takesStridedGradient = true
    package let order: [Int]

    package init(_ order: [Int]) { self.order = order }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) { (inputs[0].permutedView(order), []) }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        var inverse = order
        for (axis, source) in order.enumerated() { inverse[source] = axis }
        return [gradient.permutedView(inverse)]
    }
}

/// Axes of one element repeated to `shape` (NumPy's broadcasting). The result is a view.
package struct Expand: DifferentiableOp {
    package static let name = "expand"
    package static let takesStridedGradient = true
    package let shape: Shape

    package init(_ shape: Shape) { self.shape = shape }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) { (inputs[0].expandedView(shape), []) }

    /// The tape sums over the repeated axes.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] { [gradient] }
}

/// x repeated `repeats[axis]` times along each axis, whole after whole: `[a, b]` twice is `[a, b, a, b]`.
package struct Tile: DifferentiableOp {
    package static let name = "tile"
    package let repeats: [Int]

    package init(_ repeats: [Int]) {
        precondition(repeats.allSatisfy { $0 >= 0 }, "tile: \(repeats) times")
        self.repeats = repeats
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0]
        precondition(repeats.count == x.rank, "tile: \(repeats) times for shape \(x.shape)")
        // [1, d0, 1, d1, …] stretched to [r0, d0, r1, d1, …]
        let pairs = x.reshapedView(Shape(x.shape.dimensions.flatMap { [1, $0] }))
        let stretched = pairs.expandedView(Shape(zip(repeats, x.shape.dimensions).flatMap { [$0, $1] }))
        return (stretched.reshapedView(Shape(zip(repeats, x.shape.dimensions).map { $0 * $1 })), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let shape = inputs[0].shape
        let pairs = gradient.reshapedView(Shape(zip(repeats, shape.dimensions).flatMap { [$0, $1] }))
        return [pairs.sum(over: (0..<shape.rank).map { $0 * 2 }).reshapedView(shape)]
    }
}
