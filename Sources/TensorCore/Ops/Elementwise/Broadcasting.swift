import CKernels

/// The shape several operands are stretched to; a programmer error when they do not fit.
func broadcastShape(_ op: String, _ operands: Tensor...) -> Shape {
    var shape = operands[0].shape
    for operand in operands.dropFirst() {
        guard let wider = shape.broadcast(with: operand.shape) else {
            preconditionFailure(
                "\(op): shapes \(operands.map { "\($0.shape)" }.joined(separator: " and ")) do not broadcast")
        }
        shape = wider
    }
    return shape
}

extension Tensor {
    /// Strides that walk this tensor stretched to `shape`. Operands whose last axis is not dense are copied first: reading
    /// them across rows in every op would cost more.
    fileprivate func stretched(_ shape: Shape) -> Tensor {
        let dense = rank > 1 && self.shape.last > 1 && !(0...1).contains(strides[rank - 1]) ? contiguous() : self
        return dense.expandedView(shape)
    }
}

/// `f` of each pair of elements of two tensors stretched to their common shape, on the vector kernels. No operand is expanded in
/// memory.
func elementwise(_ f: ck_zip, _ op: String, _ a: Tensor, _ b: Tensor) -> Tensor {
    let shape = broadcastShape(op, a, b), output = Tensor(uninitialised: shape)
    let y = output.mutablePointer
    if a.shape == b.shape, a.isContiguous, b.isContiguous {
        let p = a.pointer, q = b.pointer
        WorkerPool.shared.forRanges(shape.count, grain: 1 << 16) { range in
            let at = range.lowerBound
            ck_zip_f32(f, range.count, p + at, 1, q + at, 1, y + at)
        }
        return output
    }
    let left = a.stretched(shape), right = b.stretched(shape)
    let nest = LoopNest(shape, [output.strides, left.strides, right.strides])
    let p = left.pointer, q = right.pointer, steps = (nest.runStrides[1], nest.runStrides[2])
    nest.forEachRunInParallel(grain: 1 << 16) { at in
        ck_zip_f32(f, nest.runLength, p + at[1], steps.0, q + at[2], steps.1, y + at[0])
    }
    return output
}

/// `body` on each pair of elements of two tensors stretched to their common shape.
@inline(__always)
func broadcast(_ op: String, _ a: Tensor, _ b: Tensor, _ body: (Float, Float) -> Float) -> Tensor {
    let shape = broadcastShape(op, a, b), output = Tensor(uninitialised: shape)
    let y = output.mutablePointer
    if a.shape == b.shape, a.isContiguous, b.isContiguous {
        let p = a.pointer, q = b.pointer
        for i in 0..<shape.count { y[i] = body(p[i], q[i]) }
        return output
    }
    let left = a.stretched(shape), right = b.stretched(shape)
    let nest = LoopNest(shape, [output.strides, left.strides, right.strides])
    let length = nest.runLength, stepA = nest.runStrides[1], stepB = nest.runStrides[2]
    nest.forEachRun { at in
        let p = left.pointer + at[1], q = right.pointer + at[2], y = y + at[0]
        if stepA == 1, stepB == 0 {
            let second = q[0]
            for i in 0..<length { y[i] = body(p[i], second) }
        } else {
            for i in 0..<length { y[i] = body(p[i * stepA], q[i * stepB]) }
        }
    }
    return output
}

/// `body` on each triple of elements of three tensors stretched to their common shape.
@inline(__always)
func broadcast(
    _ op: String, _ a: Tensor, _ b: Tensor, _ c: Tensor, _ body: (Float, Float, Float) -> Float
) -> Tensor {
    let shape = broadcastShape(op, a, b, c), output = Tensor(uninitialised: shape)
    let first = a.stretched(shape), second = b.stretched(shape), third = c.stretched(shape)
    let nest = LoopNest(shape, [output.strides, first.strides, second.strides, third.strides])
    let length = nest.runLength
    let (stepA, stepB, stepC) = (nest.runStrides[1], nest.runStrides[2], nest.runStrides[3])
    nest.forEachRun { at in
        let p = first.pointer + at[1], q = second.pointer + at[2], r = third.pointer + at[3]
        let y = output.mutablePointer + at[0]
        if stepA == 1, stepB == 1, stepC == 1 {
            for i in 0..<length { y[i] = body(p[i], q[i], r[i]) }
        } else {
            for i in 0..<length { y[i] = body(p[i * stepA], q[i * stepB], r[i * stepC]) }
        }
    }
    return output
}

extension Tensor {
    /// `body` of each element, without history.
    @inline(__always)
    func map(_ body: (Float) -> Float) -> Tensor {
        let dense = contiguous(), output = Tensor(uninitialised: shape)
        let x = dense.pointer, y = output.mutablePointer
        for i in 0..<count { y[i] = body(x[i]) }
        return output
    }
}
