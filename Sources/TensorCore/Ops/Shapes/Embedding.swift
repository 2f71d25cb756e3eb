/// Rows `indices` of a table `[count, width]` → `[indices.count, width]`, or the indices' own shape with `width` after it.
/// The row `paddingIndex` is read like any other and gets no gradient.
package struct Embedding: DifferentiableOp {
    package static let name = "embedding"
    package let indices: [Int32]
    package let shape: Shape
    package let paddingIndex: Int32?

    package init(_ indices: [Int32], shape: Shape? = nil, paddingIndex: Int32? = nil) {
        self.indices = indices
        self.shape = shape ?? [indices.count]
        self.paddingIndex = paddingIndex
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
        for (row, index) in indices.enumerated() where index != paddingIndex {
            let source = gradient.pointer + row * width, target = dtable.mutablePointer + Int(index) * width
            for i in 0..<width { target[i] += source[i] }
        }
        return [dtable]
    }
}
