package import Foundation

/// What an encoder reads.
package enum Modality: String, Sendable, Codable, CaseIterable {
    case text, image

    /// Several of them, for messages: "3 texts".
    package var plural: String { "\(rawValue)s" }
}

/// One input of an encoder, as its user gave it.
package enum EncoderInput: Sendable {
    case text(String)
    case image(ImageFile)

    package var modality: Modality {
        switch self {
        case .text: .text
        case .image: .image
        }
    }
}

/// An encoded image (JPEG, PNG, WebP) that is read only when its features are not cached.
package struct ImageFile: Sendable {
    /// What messages call it: its path, or its row.
    package let name: String
    /// SHA-256 of the bytes.
    package let digest: [UInt8]
    package let read: @Sendable () throws -> Data

    package init(name: String, digest: [UInt8], read: @escaping @Sendable () throws -> Data) {
        self.name = name
        self.digest = digest
        self.read = read
    }
}

/// An input that its encoder has tokenised, or decoded and resized.
package struct PreparedInput: Sendable {
    package enum Content: Sendable {
        case tokens(TokenizedText)
        /// Pixels as the network takes them.
        case pixels([Float])
    }

    package let content: Content
    /// Floating-point operations that its features take: what work is cut and dealt by.
    package let flops: Double

    package init(_ content: Content, flops: Double) {
        self.content = content
        self.flops = flops
    }

    /// Tokens of a text, special ones included; 0 for anything else.
    package var tokens: Int {
        if case .tokens(let text) = content { text.count } else { 0 }
    }

    /// Whether a text was cut at the encoder's limit.
    package var isTruncated: Bool {
        if case .tokens(let text) = content { text.truncated > 0 } else { false }
    }
}
