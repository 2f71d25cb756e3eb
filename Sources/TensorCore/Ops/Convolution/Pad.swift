/// What stands outside an axis.
package enum PaddingMode: Sendable, Equatable {
    case constant(Float)
    /// Mirrored without repeating the border: `c b | a b c | b a`.
    case reflect
    /// The border repeated.
    case replicate
    /// Continued from the other end.
    case wrap
}

/// Elements added before and after each axis of a tensor of any rank; negative numbers cut off.
package struct Pad: DifferentiableOp {
    package static let name = "pad"
    /// One entry for each axis.
    package let before: [Int]
    package let after: [Int]
    package let mode: PaddingMode

    package init(before: [Int], after: [Int], mode: PaddingMode = .constant(0)) {
        precondition(before.count == after.count, "pad: \(before) before and \(after) after")
        self.before = before
        self.after = after
        self.mode = mode
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let x = inputs[0].contiguous(), sources = sources(x.shape)
        let y = Tensor(uninitialised: Shape(sources.map(\.count)))
        let target = y.mutablePointer, source = x.pointer
        var fill: Float = 0
        if case .constant(let value) = mode { fill = value }
        forEachPair(sources, x.shape) { out, element in target[out] = element >= 0 ? source[element] : fill }
        return (y, [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(repeating: 0, inputs[0].shape)
        let target = dx.mutablePointer, source = gradient.pointer
        forEachPair(sources(dx.shape), dx.shape) { out, element in
            if element >= 0 { target[element] += source[out] }
        }
        return [dx]
    }

    /// For each axis, the input index of each output index; −1 outside when the value is constant.
    private func sources(_ shape: Shape) -> [[Int]] {
        precondition(shape.rank == before.count, "\(Self.name): x \(shape), \(before) before and \(after) after")
        return (0..<shape.rank).map { axis in
            let extent = shape[axis], count = before[axis] + extent + after[axis]
            precondition(count >= 0, "\(Self.name): x \(shape), \(before) before and \(after) after")
            let grows = before[axis] > 0 || after[axis] > 0
            switch mode {
            case .constant: break
            case .reflect:
                precondition(
                    !grows || max(before[axis], after[axis]) < extent,
                    "\(Self.name): reflecting \(before[axis]) and \(after[axis]) of \(extent) elements in axis \(axis)")
            case .replicate, .wrap:
                precondition(!grows || extent > 0, "\(Self.name): axis \(axis) of \(shape) has nothing to repeat")
            }
            return (0..<count).map { source($0 - before[axis], extent) }
        }
    }

    private func source(_ index: Int, _ extent: Int) -> Int {
        if index >= 0, index < extent { return index }
        switch mode {
        case .constant: return -1
        case .reflect: return index < 0 ? -index : 2 * (extent - 1) - index
        case .replicate: return min(max(index, 0), extent - 1)
        case .wrap: return (index % extent + extent) % extent
        }
    }

    /// Calls `body` with each output position and the input position it comes from, −1 for none.
    private func forEachPair(_ sources: [[Int]], _ shape: Shape, _ body: (Int, Int) -> Void) {
        let strides = shape.contiguousStrides
        guard let inner = sources.last else { return body(0, 0) }
        let outer = sources.dropLast(), rows = outer.reduce(1) { $0 * $1.count }
        var index = [Int](repeating: 0, count: outer.count)
        for row in 0..<rows {
            var start = 0
            for axis in outer.indices {
                let source = outer[axis][index[axis]]
                if source < 0 { start = -1 }
                if start >= 0 { start += source * strides[axis] }
            }
            for column in inner.indices {
                let source = inner[column]
                body(row * inner.count + column, start >= 0 && source >= 0 ? start + source : -1)
            }
            var axis = outer.count - 1
            while axis >= 0 {
                index[axis] += 1
                if index[axis] < outer[axis].count { break }
                index[axis] = 0
                axis -= 1
            }
        }
    }
}
