/// A tensor operation that could not be done with what it was given from outside the core (a graph, a checkpoint, a plugin).
/// Mismatched shapes inside the core are programmer errors and stop at a precondition instead.
package struct TensorError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// A tracked tensor reached an op that has no gradient.
        case notDifferentiable
        /// An einsum equation that is malformed or does not fit its operands.
        case invalidEquation
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
