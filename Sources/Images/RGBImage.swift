/// Eight bits for each of red, green and blue: `pixels` is `[height, width, 3]`, row by row from the top.
package struct RGBImage: Sendable, Equatable {
    package let width: Int
    package let height: Int
    package let pixels: [UInt8]

    package init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(
            width > 0 && height > 0 && pixels.count == width * height * 3,
            "RGBImage: \(pixels.count) values for \(width) × \(height) × 3")
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}
