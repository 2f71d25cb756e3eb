/// `output[i, j, k] = x[index[i, j, k], j, k]` along axis 0, and so on. The output has the indices' shape.
package struct Gather: DifferentiableOp {
    package static let name = "gather"
    package let axis: Int
    package let indices: Indices

    package init(axis: Int, _ indices: Indices) {
        self.axis = axis
        self.indices = indices
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), output = Tensor(uninitialised: indices.shape)
        for (place, offset) in offsets(of: indices, along: axis, in: x.shape, op: Self.name).enumerated() {
            output.mutablePointer[place] = x.pointer[offset]
        }
        return (output, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(repeating: 0, inputs[0].shape)
        for (place, offset) in offsets(of: indices, along: axis, in: dx.shape, op: Self.name).enumerated() {
            dx.mutablePointer[offset] += gradient.pointer[place]
        }
        return [dx]
    }
}

/// Slices of x along one axis; repeats allowed. The indices' axes take the place of that axis.
package struct IndexSelect: DifferentiableOp {
    package static let name = "index_select"
    package let axis: Int
    package let indices: Indices

    package init(axis: Int, _ indices: Indices) {
        self.axis = axis
        self.indices = indices
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), (outer, extent, inner) = cut(x.shape)
        let chosen = indices.resolved(extent, op: Self.name)
        let lead = x.shape.dimensions.prefix(resolved(x.shape)), rest = x.shape.dimensions.dropFirst(lead.count + 1)
        let output = Tensor(uninitialised: Shape(lead + indices.shape.dimensions + rest))
        for row in 0..<outer {
            for (place, index) in chosen.enumerated() {
                output.mutablePointer.advanced(by: (row * chosen.count + place) * inner).update(
                    from: x.pointer + (row * extent + index) * inner, count: inner)
            }
        }
        return (output, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(repeating: 0, inputs[0].shape), (outer, extent, inner) = cut(dx.shape)
        let chosen = indices.resolved(extent, op: Self.name)
        for row in 0..<outer {
            for (place, index) in chosen.enumerated() {
                let source = gradient.pointer + (row * chosen.count + place) * inner
                let target = dx.mutablePointer + (row * extent + index) * inner
                for i in 0..<inner { target[i] += source[i] }
            }
        }
        return [dx]
    }

    private func resolved(_ shape: Shape) -> Int {
        let resolved = axis < 0 ? axis + shape.rank : axis
        precondition((0..<shape.rank).contains(resolved), "index_select: axis \(axis) of shape \(shape)")
        return resolved
    }

    private func cut(_ shape: Shape) -> (outer: Int, extent: Int, inner: Int) {
        let axis = resolved(shape)
        return (
            shape.dimensions[..<axis].reduce(1, *), shape[axis], shape.dimensions[(axis + 1)...].reduce(1, *)
        )
    }
}

/// Blocks of x at the places that the rows of `indices` `[…, depth]` name (ONNX GatherND): `[…]` followed by the block's shape.
package struct GatherBlocks: DifferentiableOp {
    package static let name = "gather_nd"
    package let indices: Indices
    package let batchAxes: Int

    package init(_ indices: Indices, batchAxes: Int = 0) {
        self.indices = indices
        self.batchAxes = batchAxes
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous()
        let (starts, block) = blockOffsets(of: indices, in: x.shape, batchAxes: batchAxes, op: Self.name)
        let output = Tensor(uninitialised: Shape(indices.shape.dimensions.dropLast() + block.dimensions))
        for (row, start) in starts.enumerated() {
            output.mutablePointer.advanced(by: row * block.count).update(from: x.pointer + start, count: block.count)
        }
        return (output, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(repeating: 0, inputs[0].shape)
        let (starts, block) = blockOffsets(of: indices, in: dx.shape, batchAxes: batchAxes, op: Self.name)
        for (row, start) in starts.enumerated() {
            for i in 0..<block.count { dx.mutablePointer[start + i] += gradient.pointer[row * block.count + i] }
        }
        return [dx]
    }
}
