/// A checkpoint that cannot be read as what it claims to be.
package struct CheckpointError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        case unreadable, malformedHeader, truncated, unsupportedType
        case missingTensor, unusedTensor, shapeMismatch, invalidConfiguration
    }

    package var code: Code
    /// What is wrong, and what to do about it.
    package var message: String
    package var file: String?
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, file: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.file = file
        self.cause = cause
    }

    package var description: String { file.map { "\($0): \(message)" } ?? message }
}
