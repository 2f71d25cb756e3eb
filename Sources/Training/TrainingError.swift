/// Training that cannot go on.
package struct TrainingError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// A loss or gradient is infinite or not a number.
        case notFinite
        /// A saved state belongs to other parameters or another optimiser.
        case stateMismatch
        /// Settings, heads or data that cannot be trained with.
        case invalidSettings
    }

    package var code: Code
    /// What happened, and what to do about it.
    package var message: String
    /// The step that failed, counted from 1.
    package var step: Int?
    /// The first bad tensor: "loss", or the parameter whose gradient it is.
    package var tensor: String?
    /// The row of the features whose numbers are bad, counted from 0.
    package var row: Int?

    package init(_ code: Code, _ message: String, step: Int? = nil, tensor: String? = nil, row: Int? = nil) {
        self.code = code
        self.message = message
        self.step = step
        self.tensor = tensor
        self.row = row
    }

    package var description: String { message }
}
