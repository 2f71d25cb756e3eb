package import HidraProtocol

/// What went wrong with a plugin, with the protocol's code and a message that says what to do.
package struct PluginError: Error, Sendable {
    package var code: ErrorCode
    package var message: String
    package var details: [String: String]

    package init(_ code: ErrorCode, _ message: String, details: [String: String] = [:]) {
        (self.code, self.message, self.details) = (code, message, details)
    }
}
