/// The element-wise maximum of one or more tensors, with broadcasting. Where several are largest they share the gradient; NaN
/// in any is the result.
package struct Maximum: DifferentiableOp {
    package static let name = "maximum"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let y = inputs.dropFirst().reduce(inputs[0]) { largest, input in
            broadcast(Self.name, largest, input) { $0 > $1 || $0.isNaN ? $0 : $1 }
        }
        return (y, [y])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        sharedGradient(Self.name, gradient, inputs, saved[0], needs)
    }
}

/// The element-wise minimum of one or more tensors, with broadcasting. Where several are smallest they share the gradient.
package struct Minimum: DifferentiableOp {
    package static let name = "minimum"
    package init() {}

    package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved) {
        let y = inputs.dropFirst().reduce(inputs[0]) { smallest, input in
            broadcast(Self.name, smallest, input) { $0 < $1 || $0.isNaN ? $0 : $1 }
        }
        return (y, [y])
    }

    package func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?] {
        sharedGradient(Self.name, gradient, inputs, saved[0], needs)
    }
}

/// `dy / (number of inputs equal to y)` for each input that is equal to y there.
private func sharedGradient(
    _ op: String, _ gradient: Tensor, _ inputs: [Tensor], _ y: Tensor, _ needs: [Bool]
) -> [Tensor?] {
    let equal = inputs.map { input in broadcast(op, input, y) { $0 == $1 || ($0.isNaN && $1.isNaN) ? 1 : 0 } }
    let ties = equal.dropFirst().reduce(equal[0]) { broadcast(op, $0, $1, +) }
    return equal.enumerated().map { index, mask in
        needs[index] ? broadcast(op, gradient, mask, ties) { $1 == 0 ? 0 : $0 / $2 } : nil
    }
}
