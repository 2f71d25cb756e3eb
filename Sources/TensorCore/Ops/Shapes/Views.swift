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

/// Axes reordered: axis `i` of the result is axis `order[i]` of the input. The result is a view.
package struct Permute: DifferentiableOp {
    package static let name = "permute"
    package let order: [Int]

    package init(_ order: [Int]) { self.order = order }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) { (inputs[0].permutedView(order), []) }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        var inverse = order
        for (axis, source) in order.enumerated() { inverse[source] = axis }
        return [gradient.permutedView(inverse)]
    }
}

/// Rows `indices` of a table `[count, width]` → `[indices.count, width]`, or the indices' own shape with `width` after it.
package struct Embedding: DifferentiableOp {
    package static let name = "embedding"
    package let indices: [Int32]

    package let shape: Shape

    package init(_ indices: [Int32], shape: Shape? = nil) {
        self.indices = indices
        self.shape = shape ?? [indices.count]
        precondition(self.shape.count == indices.count, "embedding: \(indices.count) indices of shape \(self.shape)")
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let table = inputs[0].contiguous(), width = table.shape.last
        precondition(table.rank == 2, "embedding: table \(table.shape) is not a matrix")
        let output = Tensor(uninitialised: Shape(shape.dimensions + [width]))
        for (row, index) in indices.enumerated() {
            precondition(index >= 0 && Int(index) < table.shape[0], "embedding: index \(index), table \(table.shape)")
            output.mutablePointer.advanced(by: row * width).update(
                from: table.pointer + Int(index) * width, count: width)
        }
        return (output, [])
    }

    /// Each row of the gradient is added to the row of the table it came from.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dtable = Tensor(repeating: 0, inputs[0].shape), width = dtable.shape.last
        for (row, index) in indices.enumerated() {
            let source = gradient.pointer + row * width, target = dtable.mutablePointer + Int(index) * width
            for i in 0..<width { target[i] += source[i] }
        }
        return [dtable]
    }
}
