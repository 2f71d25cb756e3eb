/// What went wrong inside the workbench, and what to do about it.
///
/// `message` is written for the person at the terminal: it names the thing that failed and the next step. `details`
/// holds what a program may want (`suggestion`, `heads`, `missing_bytes`). The codes mirror those of the protocol, so
/// the daemon passes them on without a table of its own.
package struct WorkbenchError: Error, Sendable {
    package enum Code: String, Sendable, CaseIterable {
        case invalidArgument
        case notFound
        case alreadyExists
        /// Something else is using it.
        case conflict
        case invalidData
        case corrupt
        case diskFull
        case cancelled
        case interrupted
        case limitExceeded
        case unsupported
        /// A client that is needed is not connected, or has gone.
        case unavailable
        case timeout
        case internalError
    }

    package var code: Code
    package var message: String
    package var details: [String: String]
    package var cause: (any Error)?

    package init(
        _ code: Code, _ message: String, details: [String: String] = [:], cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.details = details
        self.cause = cause
    }
}

extension WorkbenchError: CustomStringConvertible {
    package var description: String {
        guard let cause else { return "\(code.rawValue): \(message)" }
        return "\(code.rawValue): \(message) (\(cause))"
    }
}
