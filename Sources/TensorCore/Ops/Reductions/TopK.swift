/// The k largest (or smallest) values along one axis, in falling (rising) order; of equal ones the first comes first. NaN counts
/// as larger than anything.
package struct TopK: DifferentiableOp {
    package static let name = "top_k"
    package let k: Int
    package let axis: Int
    package let largest: Bool

    package init(_ k: Int, axis: Int = -1, largest: Bool = true) {
        self.k = k
        self.axis = axis
        self.largest = largest
    }

    /// The places of the values along the axis, in the order of the output's elements.
    package func positions(_ x: Tensor) -> [Int] {
        let layout = ReducedAxes(x.shape, [axis], op: Self.name), rows = layout.rows(x.detached)
        let order = positionsByRow(layout, rows)
        // Rows have the axis last; the output has it in its own place.
        let places = restore(layout, Tensor(order.map(Float.init), [layout.kept, k]))
        return places.values.map { Int($0) }
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let layout = ReducedAxes(inputs[0].shape, [axis], op: Self.name), x = layout.rows(inputs[0])
        let values = Tensor(uninitialised: [layout.kept, k])
        for (index, place) in positionsByRow(layout, x).enumerated() {
            values.mutablePointer[index] = x.pointer[index / k * layout.reduced + place]
        }
        return (restore(layout, values), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let layout = ReducedAxes(inputs[0].shape, [axis], op: Self.name), x = layout.rows(inputs[0])
        let dx = Tensor(repeating: 0, x.shape)
        let dy = ReducedAxes(gradient.shape, [axis], op: Self.name).rows(gradient)
        for (index, place) in positionsByRow(layout, x).enumerated() {
            dx.mutablePointer[index / k * layout.reduced + place] = dy.pointer[index]
        }
        return [layout.restored(dx)]
    }

    private func positionsByRow(_ layout: ReducedAxes, _ x: Tensor) -> [Int] {
        precondition(
            (0...layout.reduced).contains(k), "top_k: \(k) of \(layout.reduced) along axis \(axis) of \(layout.shape)")
        return (0..<layout.kept).flatMap { row -> ArraySlice<Int> in
            let values = x.pointer + row * layout.reduced
            func comesFirst(_ a: Int, _ b: Int) -> Bool {
                let (p, q) = largest ? (values[a], values[b]) : (values[b], values[a])
                if p.isNaN || q.isNaN { return p.isNaN && q.isNaN ? a < b : p.isNaN }
                return p == q ? a < b : p > q
            }
            return (0..<layout.reduced).sorted(by: comesFirst)[..<k]
        }
    }

    private func restore(_ layout: ReducedAxes, _ rows: Tensor) -> Tensor {
        var dimensions = layout.shape.dimensions
        dimensions[layout.axes[0]] = k
        return ReducedAxes(Shape(dimensions), [axis], op: Self.name).restored(rows)
    }
}
