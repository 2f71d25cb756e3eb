/// Training without labels, or work in a latent space, that cannot go on.
package struct LatentError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// A setting, a latent or a choice that cannot be.
        case invalidArgument
        /// Images that cannot be used.
        case invalidData
        /// No direction of that name.
        case notFound
        /// More than memory is there for.
        case limitExceeded
        /// A model without the part that was asked for.
        case unsupported
        /// A damaged file.
        case corrupt
        /// A loss or a gradient is infinite or not a number.
        case notFinite
        /// The code says nothing about the image any more.
        case collapsed
    }

    package var code: Code
    /// What happened, and what to do about it.
    package var message: String
    package var details: [String: String]

    package init(_ code: Code, _ message: String, details: [String: String] = [:]) {
        (self.code, self.message, self.details) = (code, message, details)
    }

    package var description: String { message }
}
