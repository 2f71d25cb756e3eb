/// Why a tokenizer could not be loaded.
///
/// Encoding and decoding themselves do not fail: a tokenizer that was built is complete.
package struct TokenizerError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The file is not there or cannot be read.
        case unreadable
        /// The file is larger than any tokenizer has reason to be.
        case tooLarge
        /// Not JSON, or not UTF-8.
        case malformed
        /// A field is missing, has the wrong type, or contradicts another field.
        case invalid
        /// A component that this version does not implement.
        case unsupported
    }

    package var code: Code
    /// What is wrong and what to do about it.
    package var message: String
    package var file: String?
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, file: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.file = file
        self.cause = cause
    }

    package var description: String {
        file.map { "\($0): \(message)" } ?? message
    }

    /// An error for a component `type` that is none of `supported`.
    static func unsupported(_ component: String, _ type: String, supported: [String]) -> TokenizerError {
        TokenizerError(
            .unsupported,
            "\(component) '\(type)' is not supported; supported are: \(supported.joined(separator: ", "))")
    }
}
