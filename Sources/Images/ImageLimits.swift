/// What one image may cost. Checked against the header, before memory is taken for pixels.
package struct ImageLimits: Sendable, Equatable {
    /// Width times height. Decoding takes at most twelve bytes a pixel for a moment (a progressive JPEG keeps its coefficients).
    package var pixels: Int
    /// Size of the encoded file.
    package var bytes: Int

    package init(pixels: Int = 64 << 20, bytes: Int = 128 << 20) {
        self.pixels = pixels
        self.bytes = bytes
    }

    package static let standard = ImageLimits()
}
