/// `a + b` with broadcasting.
package struct Add: DifferentiableOp {
    package static let name = "add"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (broadcast(Self.name, inputs[0], inputs[1], +), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [gradient, gradient]
    }
}

/// `a − b` with broadcasting.
package struct Subtract: DifferentiableOp {
    package static let name = "sub"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (broadcast(Self.name, inputs[0], inputs[1], -), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [gradient, needs[1] ? gradient.map(-) : nil]
    }
}

/// `a · b` element by element, with broadcasting.
package struct Multiply: DifferentiableOp {
    package static let name = "mul"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (broadcast(Self.name, inputs[0], inputs[1], *), [])
    }

    /// `da = dy · b`, `db = dy · a`
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [
            needs[0] ? broadcast(Self.name, gradient, inputs[1], *) : nil,
            needs[1] ? broadcast(Self.name, gradient, inputs[0], *) : nil,
        ]
    }
}

/// `a / b` with broadcasting.
package struct Divide: DifferentiableOp {
    package static let name = "div"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (broadcast(Self.name, inputs[0], inputs[1], /), [])
    }

    /// `da = dy / b`, `db = −dy · a / b²`
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let quotient = broadcast(Self.name, gradient, inputs[1], /)
        guard needs[1] else { return [quotient, nil] }
        let ratio = broadcast(Self.name, inputs[0], inputs[1], /)
        return [needs[0] ? quotient : nil, broadcast(Self.name, quotient, ratio) { -$0 * $1 }]
    }
}

/// `body` on each pair of elements of two tensors stretched to their common shape.
@inline(__always)
func broadcast(_ op: String, _ a: Tensor, _ b: Tensor, _ body: (Float, Float) -> Float) -> Tensor {
    guard let shape = a.shape.broadcast(with: b.shape) else {
        preconditionFailure("\(op): shapes \(a.shape) and \(b.shape) do not broadcast")
    }
    let output = Tensor(uninitialised: shape)
    let y = output.mutablePointer
    if a.shape == b.shape {
        let left = a.contiguous(), right = b.contiguous()
        let x = left.pointer, z = right.pointer
        for i in 0..<shape.count { y[i] = body(x[i], z[i]) }
    } else if a.shape == shape, b.rank == 1, b.shape.last == shape.last {
        let left = a.contiguous(), right = b.contiguous()
        let x = left.pointer, z = right.pointer, width = shape.last
        for row in 0..<shape.rows {
            for i in 0..<width { y[row * width + i] = body(x[row * width + i], z[i]) }
        }
    } else {
        let left = a.expandedView(shape).contiguous(), right = b.expandedView(shape).contiguous()
        let x = left.pointer, z = right.pointer
        for i in 0..<shape.count { y[i] = body(x[i], z[i]) }
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
