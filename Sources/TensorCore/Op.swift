/// A computation on tensors. One type holds an op's attributes, its forward and, if it has one, its gradient; one file an op.
package protocol Op: SendableMetatype {
    /// The name errors, tests and the op table use.
    static var name: String { get }
}

/// What `forward` keeps for `backward`.
package typealias Saved = [Tensor]

/// An op with a gradient.
///
/// `backward` gets the gradient of a scalar loss with respect to the output (same shape as the output; contiguous, unless the op
/// says that it takes strided ones) and returns one gradient for each input, in order: of the shape of the *output of broadcasting*, or of the input; nil where `needs` is
/// false. The tape sums broadcast axes away and accumulates.
package protocol DifferentiableOp: Op {
    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: Saved)
    func backward(_ gradient: Tensor, inputs: [Tensor], saved: Saved, needs: [Bool]) -> [Tensor?]
    /// The output of `forward`, to the bit, for when nothing is tracked: an op that computes something only for `backward` leaves
    /// that out.
    func untrackedForward(_ inputs: [Tensor]) -> Tensor
    /// Whether `backward` reads a gradient through its strides, so that a view need not be copied for it.
    static var takesStridedGradient: Bool { get }
}

/// An op without a gradient. A tracked input is refused: its gradient would silently vanish.
package protocol InferenceOp: Op {
    func forward(_ inputs: [Tensor]) -> Tensor
}

extension DifferentiableOp {
    package static var takesStridedGradient: Bool { false }

    /// Runs the op, and records it when an input is tracked. Nothing is kept otherwise: a frozen encoder costs no tape.
    package func callAsFunction(_ inputs: Tensor...) -> Tensor { apply(inputs) }

    package func apply(_ inputs: [Tensor]) -> Tensor {
        guard inputs.contains(where: \.isTracked) else { return untrackedForward(inputs) }
        let detached = inputs.map(\.detached)
        var (output, saved) = forward(detached)
        output.node = TapeNode(op: self, inputs: inputs, detached: detached, saved: saved, shape: output.shape)
        return output
    }

    package func untrackedForward(_ inputs: [Tensor]) -> Tensor { forward(inputs).output }
}

extension InferenceOp {
    /// - Throws: `TensorError.notDifferentiable` when an input is tracked.
    package func callAsFunction(_ inputs: Tensor...) throws -> Tensor {
        if inputs.contains(where: \.isTracked) {
            throw TensorError(
                .notDifferentiable,
                "\(Self.name) has no gradient, and one of its inputs is being trained; detach it or use another op")
        }
        return forward(inputs)
    }
}
