/// Tensors joined along one axis; their other axes agree.
package struct Concatenate: DifferentiableOp {
    package static let name = "concat"
    package let axis: Int
    package init(axis: Int) { self.axis = axis }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let axis = resolved(inputs[0].rank)
        var dimensions = inputs[0].shape.dimensions
        dimensions[axis] = 0
        for input in inputs {
            var others = input.shape.dimensions
            precondition(others.count == dimensions.count, "concat: \(inputs[0].shape) and \(input.shape)")
            let extent = others[axis]
            others[axis] = dimensions[axis]
            precondition(others == dimensions, "concat: \(inputs[0].shape) and \(input.shape) along axis \(axis)")
            dimensions[axis] += extent
        }
        let output = Tensor(uninitialised: Shape(dimensions))
        for (input, part) in zip(inputs, parts(output, inputs)) { copy(input, to: part) }
        return (output, [])
    }

    package static let takesStridedGradient = true

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        parts(gradient, inputs)
    }

    private func resolved(_ rank: Int) -> Int {
        let resolved = axis < 0 ? axis + rank : axis
        precondition((0..<rank).contains(resolved), "concat: axis \(axis) of rank \(rank)")
        return resolved
    }

    private func parts(_ whole: Tensor, _ inputs: [Tensor]) -> [Tensor] {
        let axis = resolved(whole.rank)
        var start = 0
        return inputs.map { input in
            defer { start += input.shape[axis] }
            return whole.slicedView(AxisSlice(axis: axis, start, start + input.shape[axis]))
        }
    }
}

/// Tensors of one shape joined along a new axis.
package struct Stack: DifferentiableOp {
    package static let name = "stack"
    package let axis: Int
    package init(axis: Int) { self.axis = axis }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        precondition(
            inputs.allSatisfy { $0.shape == inputs[0].shape },
            "stack: shapes \(inputs.map { "\($0.shape)" }.joined(separator: ", ")) differ")
        let wide = inputs.map { $0.reshapedView(widened($0.shape)) }
        return (Concatenate(axis: axis).forward(wide).output, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let axis = axis < 0 ? axis + gradient.rank : axis
        return inputs.indices.map { index in
            gradient.slicedView(AxisSlice(axis: axis, index, index + 1)).reshapedView(inputs[index].shape)
        }
    }

    private func widened(_ shape: Shape) -> Shape {
        let axis = axis < 0 ? axis + shape.rank + 1 : axis
        precondition((0...shape.rank).contains(axis), "stack: axis \(self.axis) for shape \(shape)")
        var dimensions = shape.dimensions
        dimensions.insert(1, at: axis)
        return Shape(dimensions)
    }
}

/// A tensor cut along one axis into pieces of the given sizes, each with its gradient.
package func split(_ x: Tensor, axis: Int, sizes: [Int]) -> [Tensor] {
    precondition(
        sizes.allSatisfy { $0 >= 0 } && sizes.reduce(0, +) == x.shape[axis],
        "split: sizes \(sizes) of shape \(x.shape) along axis \(axis)")
    var start = 0
    return sizes.map { size in
        defer { start += size }
        return Slice(axis: axis, start, start + size)(x)
    }
}
