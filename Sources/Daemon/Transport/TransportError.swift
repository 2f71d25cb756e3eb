package import HidraProtocol

/// The daemon's network face cannot come up, or came down.
package struct TransportError: Error, Sendable, CustomStringConvertible {
    package var code: ErrorCode
    /// Says what to do next.
    package var message: String
    package var cause: (any Error)?

    package init(_ code: ErrorCode, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message) (\($0))" } ?? message }
}
