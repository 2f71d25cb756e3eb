import CKernels

/// `a + b` with broadcasting.
package struct Add: DifferentiableOp {
    package static let name = "add"
    package static let takesStridedGradient = true
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (elementwise(ck_zip_add, Self.name, inputs[0], inputs[1]), [])
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
        (elementwise(ck_zip_subtract, Self.name, inputs[0], inputs[1]), [])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        guard needs[1] else { return [gradient, nil] }
        // Summed before the signs change: a broadcast operand is the smaller one.
        return [gradient, gradient.reduced(to: inputs[1].shape, op: Self.name).map(-)]
    }
}

/// `a · b` element by element, with broadcasting.
package struct Multiply: DifferentiableOp {
    package static let name = "mul"
    package static let takesStridedGradient = true
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (elementwise(ck_zip_multiply, Self.name, inputs[0], inputs[1]), [])
    }

    /// `da = dy · b`, `db = dy · a`
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        [
            needs[0] ? elementwise(ck_zip_multiply, Self.name, gradient, inputs[1]) : nil,
            needs[1] ? elementwise(ck_zip_multiply, Self.name, gradient, inputs[0]) : nil,
        ]
    }
}

/// `a / b` with broadcasting.
package struct Divide: DifferentiableOp {
    package static let name = "div"
    package static let takesStridedGradient = true
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        (elementwise(ck_zip_divide, Self.name, inputs[0], inputs[1]), [])
    }

    /// `da = dy / b`, `db = −dy · a / b²`
    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        let quotient = elementwise(ck_zip_divide, Self.name, gradient, inputs[1])
        guard needs[1] else { return [quotient, nil] }
        let ratio = elementwise(ck_zip_divide, Self.name, inputs[0], inputs[1])
        return [needs[0] ? quotient : nil, broadcast(Self.name, quotient, ratio) { -$0 * $1 }]
    }
}
