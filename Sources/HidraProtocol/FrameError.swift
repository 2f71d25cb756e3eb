/// A message that breaks the rules of the wire.
package struct FrameError: Error, Sendable {
    package var code: ErrorCode
    package var message: String
    /// The request it belongs to, as far as it could be read; 0 when it could not.
    package var requestID: UInt64
    package var cause: (any Error)?

    init(_ code: ErrorCode, _ message: String, requestID: UInt64, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.requestID = requestID
        self.cause = cause
    }
}
