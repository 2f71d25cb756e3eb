/// Why an encoder could not be fetched, and what to do about it.
package struct HubError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is. The raw values are those of the protocol's error table.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String

        package init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The source's name cannot be read, or the staging folder is in use.
        package static let invalidArgument = Code(rawValue: "invalid_argument")
        /// No such catalogue entry, repository, revision, folder or file.
        package static let notFound = Code(rawValue: "not_found")
        /// The hub wants a token, or refuses the one it was given.
        package static let permissionDenied = Code(rawValue: "permission_denied")
        /// The content is there, but it is not what an encoder needs.
        package static let invalidData = Code(rawValue: "invalid_data")
        /// A server, a network or a tool does not answer.
        package static let unavailable = Code(rawValue: "unavailable")
        package static let timeout = Code(rawValue: "timeout")
        package static let limitExceeded = Code(rawValue: "limit_exceeded")
        package static let diskFull = Code(rawValue: "disk_full")
        /// The bytes differ from their digest.
        package static let corrupt = Code(rawValue: "corrupt")
        /// The only weights offered are in a format that is never loaded.
        package static let unsupported = Code(rawValue: "unsupported")
        package static let internalError = Code(rawValue: "internal")
    }

    package var code: Code
    /// What happened and what to do next, for a person.
    package var message: String
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String {
        "\(code.rawValue): \(message)"
    }
}
