package import Images
package import TensorCore

/// Pictures in rows and columns, enlarged so that a person sees them.
package struct ContactSheet {
    /// Images side by side.
    package let columns: Int
    /// Each pixel becomes a square of this many.
    package let zoom: Int
    package let gap: Int
    /// Grey of the gaps and the margin.
    package var ground: UInt8 = 32

    /// Longest side of a sheet, in pixels.
    package static let longestSide = 8192

    /// - Parameter zoom: nil: such that an image is some 84 pixels wide.
    package init(columns: Int, side: Int, zoom: Int? = nil, gap: Int = 4) {
        self.columns = max(1, columns)
        self.zoom = zoom ?? max(1, (84 + side / 2) / side)
        self.gap = gap
    }

    /// Images `[count, channels, side, side]`, pixels from 0 to 1, in reading order.
    /// - Throws: `LatentError.limitExceeded` when the sheet would be too large.
    package func callAsFunction(_ images: Tensor) throws -> RGBImage {
        let x = images.contiguous(), count = x.shape[0], channels = x.shape[1], side = x.shape[2], cell = side * zoom
        let across = min(columns, max(count, 1)), down = max(1, (count + across - 1) / across)
        let width = gap + across * (cell + gap), height = gap + down * (cell + gap)
        guard max(width, height) <= Self.longestSide else {
            throw LatentError(
                .limitExceeded,
                "\(count) images would make a sheet of \(width) × \(height) pixels; the longest side is \(Self.longestSide). Show fewer.")
        }
        var pixels = [UInt8](repeating: ground, count: width * height * 3)
        for image in 0..<count {
            let left = gap + image % across * (cell + gap), top = gap + image / across * (cell + gap)
            for row in 0..<cell {
                for column in 0..<cell {
                    let at = ((top + row) * width + left + column) * 3, source = row / zoom * side + column / zoom
                    for channel in 0..<3 {
                        let value = x.pointer[(image * channels + (channels == 3 ? channel : 0)) * side * side + source]
                        pixels[at + channel] = UInt8((min(max(value, 0), 1) * 255).rounded())
                    }
                }
            }
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// One image `[1, channels, side, side]` as it is, without a margin.
    package static func single(_ images: Tensor, _ index: Int) throws -> RGBImage {
        try ContactSheet(columns: 1, side: images.shape[2], zoom: 1, gap: 0)(images.rows(index..<index + 1))
    }
}
