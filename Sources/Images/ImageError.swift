/// An image, or a set of images, that cannot be used.
package struct ImageError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The file is not there.
        case notFound
        /// The file cannot be opened or read, or is no regular file.
        case unreadable
        /// More bytes, pixels or entries than the limits allow.
        case tooLarge
        /// The bytes are of no image format that is read.
        case notAnImage
        /// An image of a kind that is not read.
        case unsupported
        /// The bytes end before the image does.
        case truncated
        /// The bytes contradict their format.
        case corrupt
        /// A path that leaves its folder, or a link.
        case refusedPath
        /// A preprocessor's configuration that is malformed or not supported.
        case invalidConfiguration
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

    package var description: String { file.map { "\($0): \(message)" } ?? message }
}
