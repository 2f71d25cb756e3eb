public import HidraProtocol

/// What a request came to when it did not succeed, whether the daemon said so or could not be asked.
public struct HidraError: Error, Sendable, CustomStringConvertible {
    public typealias Code = ErrorCode

    public var code: Code
    /// What went wrong and what to do next; written for people.
    public var message: String
    /// Machine-readable context, e.g. "suggestion" or "row".
    public var details: [String: String]
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, details: [String: String] = [:], cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.details = details
        self.cause = cause
    }

    public var description: String { message }
}

extension HidraError {
    init(_ error: Hidra_V1_Error) {
        self.init(Code(rawValue: error.code), error.message, details: error.details)
    }

    init(_ error: FrameError) { self.init(error.code, error.message, cause: error.cause) }
}
