/// Training that cannot go on.
package struct TrainingError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// A loss or gradient is infinite or not a number.
        case notFinite
        /// A saved state belongs to other parameters or another optimiser.
        case stateMismatch
    }

    package var code: Code
    /// What happened, and what to do about it.
    package var message: String
    /// The step that failed, counted from 1.
    package var step: Int?
    /// The first bad tensor: "loss", or the parameter whose gradient it is.
    package var tensor: String?

    package init(_ code: Code, _ message: String, step: Int? = nil, tensor: String? = nil) {
        self.code = code
        self.message = message
        self.step = step
        self.tensor = tensor
    }

    package var description: String { message }
}
