/// Elements `start, start + step, …` before `stop` along one axis, by NumPy's rules: negative bounds count from the end, bounds
/// beyond an end are cut to it, and a negative step runs backwards. A nil bound is the end it starts or stops at.
package struct AxisSlice: Sendable {
    package let axis: Int
    package let start: Int?, stop: Int?
    package let step: Int

    package init(axis: Int, _ start: Int? = nil, _ stop: Int? = nil, step: Int = 1) {
        precondition(step != 0, "slice: a step of 0")
        self.axis = axis
        self.start = start
        self.stop = stop
        self.step = step
    }

    /// The first element's place and the number of elements, for an axis of `extent`.
    package func resolved(_ extent: Int) -> (first: Int, count: Int) {
        func place(_ bound: Int, _ low: Int, _ high: Int) -> Int {
            min(max(bound < 0 ? bound + extent : bound, low), high)
        }
        if step > 0 {
            let first = start.map { place($0, 0, extent) } ?? 0, last = stop.map { place($0, 0, extent) } ?? extent
            return (first, max(0, (last - first + step - 1) / step))
        }
        let first = start.map { place($0, -1, extent - 1) } ?? extent - 1
        let last = stop.map { place($0, -1, extent - 1) } ?? -1
        return (first, max(0, (first - last - step - 1) / -step))
    }
}

/// A part of a tensor along one or more axes. The result is a view.
package struct Slice: DifferentiableOp {
    package static let name = "slice"
    package static let takesStridedGradient = true
    package let slices: [AxisSlice]

    package init(_ slices: [AxisSlice]) { self.slices = slices }

    package init(axis: Int, _ start: Int? = nil, _ stop: Int? = nil, step: Int = 1) {
        self.init([AxisSlice(axis: axis, start, stop, step: step)])
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (slices.reduce(inputs[0]) { $0.slicedView($1) }, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(repeating: 0, inputs[0].shape)
        copy(gradient, to: slices.reduce(dx) { $0.slicedView($1) })
        return [dx]
    }
}

/// The order of elements turned around along some axes. The result is a view.
package struct Flip: DifferentiableOp {
    package static let name = "flip"
    package static let takesStridedGradient = true
    package let axes: [Int]

    package init(_ axes: [Int]) { self.axes = axes }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) { (flipped(inputs[0]), []) }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [flipped(gradient)]
    }

    private func flipped(_ x: Tensor) -> Tensor { axes.reduce(x) { $0.slicedView(AxisSlice(axis: $1, step: -1)) } }
}

extension Tensor {
    /// A part along one axis, sharing storage.
    package func slicedView(_ slice: AxisSlice) -> Tensor {
        let axis = slice.axis < 0 ? slice.axis + rank : slice.axis
        precondition((0..<rank).contains(axis), "slice: axis \(slice.axis) of shape \(shape)")
        let (first, count) = slice.resolved(shape[axis])
        var dimensions = shape.dimensions, strides = strides
        dimensions[axis] = count
        strides[axis] *= slice.step
        return Tensor(
            storage: storage, shape: Shape(dimensions), strides: strides,
            offset: count == 0 ? offset : offset + first * self.step(along: axis))
    }
}
