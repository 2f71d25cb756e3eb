/// What is wrong with a session document, and what to do about it.
package struct SessionError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The document does not say what it should.
        case invalid
        /// The document was written for a newer version of its format.
        case newerVersion
    }

    package var code: Code
    package var message: String
    /// Of the document, from 1.
    package var line: Int?
    /// The known word nearest to the one that is not.
    package var suggestion: String?

    package init(_ code: Code, _ message: String, line: Int? = nil, suggestion: String? = nil) {
        self.code = code
        self.message = message
        self.line = line
        self.suggestion = suggestion
    }

    /// `line 7: …`
    package var description: String { line.map { "line \($0): \(message)" } ?? message }
}
