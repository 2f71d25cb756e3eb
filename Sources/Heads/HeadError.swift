/// Labels, settings or a bundle that a head cannot be made from.
package struct HeadError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        case invalidLabels, invalidSettings, corruptBundle, incompatible
    }

    package var code: Code
    /// What is wrong, and what to do about it.
    package var message: String
    package var details: [String: String]
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, details: [String: String] = [:], cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.details = details
        self.cause = cause
    }

    package var description: String { message }
}
