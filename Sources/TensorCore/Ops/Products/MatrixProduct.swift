/// `a b` over the last two axes: `[…, m, k] · […, k, n]` → `[…, m, n]`, leading axes broadcast. `transposeA` and `transposeB`
/// swap the last two axes of that operand first. A vector `a` is one row, a vector `b` one column, and that axis is left out of
/// the result (NumPy's matmul).
package struct MatrixProduct: DifferentiableOp {
    package static let name = "matmul"
    package static let takesStridedGradient = true
    package let transposeA: Bool, transposeB: Bool

    package init(transposeA: Bool = false, transposeB: Bool = false) {
        self.transposeA = transposeA
        self.transposeB = transposeB
    }

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let (a, b) = operands(inputs)
        let product = multiplyStacks(a, b)
        return (product.reshapedView(outputShape(inputs, product.shape)), [])
    }

    /// `da = dy bᵀ`, `db = aᵀ dy`. The tape sums over the stacks an operand was repeated for, except where one product can.
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let (a, b) = operands(inputs)
        var dy = gradient
        if inputs[0].rank == 1 || inputs[1].rank == 1 {
            let lead = a.shape.broadcastStack(with: b.shape)
            dy = gradient.reshapedView(Shape(lead + [a.shape[-2], b.shape[-1]]))
        }
        var da: Tensor?, db: Tensor?
        if needs[0] {
            da = oriented(multiplyStacks(dy, b.transposedView), transposeA, as: inputs[0])
        }
        if needs[1] {
            db =
                b.rank == 2 && dy.rank > 2
                // One matrix for the whole stack: the sum over the stack is part of one product.
                ? multiplyStacks(flattened(a, like: dy).transposedView, dy.flattenedStack)
                : multiplyStacks(a.transposedView, dy)
            db = db.map { oriented($0, transposeB, as: inputs[1]) }
        }
        return [da, db]
    }

    /// Both operands as stacks of matrices, transposed as asked for: views.
    private func operands(_ inputs: [Tensor]) -> (Tensor, Tensor) {
        var a = inputs[0], b = inputs[1]
        precondition(a.rank > 0 && b.rank > 0, "matmul: \(a.shape) by \(b.shape)")
        if a.rank == 1 { a = a.reshapedView([1, a.count]) } else if transposeA { a = a.transposedView }
        if b.rank == 1 { b = b.reshapedView([b.count, 1]) } else if transposeB { b = b.transposedView }
        precondition(
            a.shape[-1] == b.shape[-2] && Shape(a.stack).broadcast(with: Shape(b.stack)) != nil,
            "matmul: \(inputs[0].shape)\(transposeA ? "ᵀ" : "") by \(inputs[1].shape)\(transposeB ? "ᵀ" : "")")
        return (a, b)
    }

    private func outputShape(_ inputs: [Tensor], _ product: Shape) -> Shape {
        var dimensions = product.dimensions
        if inputs[1].rank == 1 { dimensions.removeLast() }
        if inputs[0].rank == 1 { dimensions.remove(at: dimensions.count - (inputs[1].rank == 1 ? 1 : 2)) }
        return Shape(dimensions)
    }

    /// The gradient of an operand in that operand's own orientation, or of a vector without its added axis.
    private func oriented(_ gradient: Tensor, _ transposed: Bool, as input: Tensor) -> Tensor {
        if input.rank == 1 { return gradient.reshapedView(Shape(gradient.stack + [input.count])) }
        return transposed ? gradient.transposedView : gradient
    }

    private func flattened(_ a: Tensor, like dy: Tensor) -> Tensor {
        a.expandedView(Shape(dy.stack + [a.shape[-2], a.shape[-1]])).flattenedStack
    }
}

extension Shape {
    fileprivate func broadcastStack(with other: Shape) -> [Int] {
        Shape(Array(dimensions.dropLast(2))).broadcast(with: Shape(Array(other.dimensions.dropLast(2))))?.dimensions
            ?? []
    }
}

extension Tensor {
    /// The axes before the last two.
    fileprivate var stack: [Int] { Array(shape.dimensions.dropLast(2)) }

    /// The last two axes swapped.
    fileprivate var transposedView: Tensor {
        var order = Array(0..<rank)
        order.swapAt(rank - 1, rank - 2)
        return permutedView(order)
    }

    /// `[…, m, n]` as one matrix `[… · m, n]`.
    fileprivate var flattenedStack: Tensor { reshapedView([shape.dimensions.dropLast().reduce(1, *), shape[-1]]) }
}

/// `[…, m, k] · […, k, n]` of views, leading axes broadcast: one product when the right side is one matrix, otherwise the stack's
/// products divided among the worker threads.
func multiplyStacks(_ a: Tensor, _ b: Tensor) -> Tensor {
    let m = a.shape[-2], k = a.shape[-1], n = b.shape[-1]
    let lead = a.shape.broadcastStack(with: b.shape)
    if b.rank == 2 || Shape(lead).count == 1 {
        return multiply(a.rank > 2 ? a.flattenedStack : a, b.rank > 2 ? b.flattenedStack : b)
            .reshapedView(Shape(lead + [m, n]))
    }
    let output = Tensor(uninitialised: Shape(lead + [m, n])), count = Shape(lead).count
    let left = a.expandedView(Shape(lead + [m, k])), right = b.expandedView(Shape(lead + [k, n]))
    let nest = LoopNest(Shape(lead), [left, right].map { Array($0.strides.prefix(lead.count)) })
    let p = left.pointer, q = right.pointer, y = output.mutablePointer
    func multiplyPart(_ index: Int, _ pool: WorkerPool?) {
        product(
            MatrixView(
                p + nest.offset(of: 0, at: index), m, k, rowStride: left.strides[lead.count],
                columnStride: left.strides[lead.count + 1]),
            MatrixView(
                q + nest.offset(of: 1, at: index), k, n, rowStride: right.strides[lead.count],
                columnStride: right.strides[lead.count + 1]),
            into: y + index * m * n, rowStride: n, pool: pool)
    }
    let pool = WorkerPool.shared
    if count < pool.threads {
        for index in 0..<count { multiplyPart(index, pool) }
    } else {
        pool.forRanges(count, grain: 400_000 / max(2 * m * n * k, 1) + 1) { range in
            for index in range { multiplyPart(index, nil) }
        }
    }
    return output
}
