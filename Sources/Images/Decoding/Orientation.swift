/// How a stored image has to be turned to stand upright: the values of EXIF tag 0x0112 (EXIF 2.32, section 4.6.4).
package enum Orientation: Int, Sendable, CaseIterable {
    case upright = 1
    case mirrored
    case upsideDown
    case flipped
    case transposed
    /// Turn clockwise by a quarter.
    case quarterClockwise
    case transversed
    case quarterAnticlockwise

    var swapsSides: Bool { rawValue >= 5 }
}

extension RGBImage {
    /// The image as it is meant to be seen.
    package func turned(_ orientation: Orientation) -> RGBImage {
        guard orientation != .upright else { return self }
        let (newWidth, newHeight) = orientation.swapsSides ? (height, width) : (width, height)
        // Source index = origin + x · across + y · down, in pixels.
        let last = width * height - 1
        let (origin, across, down) =
            switch orientation {
            case .upright: (0, 1, width)
            case .mirrored: (width - 1, -1, width)
            case .upsideDown: (last, -1, -width)
            case .flipped: (last - width + 1, 1, -width)
            case .transposed: (0, width, 1)
            case .quarterClockwise: (last - width + 1, -width, 1)
            case .transversed: (last, -width, -1)
            case .quarterAnticlockwise: (width - 1, width, -1)
            }
        let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, initialised in
            pixels.withUnsafeBufferPointer { source in
                var written = 0
                for y in 0..<newHeight {
                    var index = (origin + y * down) * 3
                    for _ in 0..<newWidth {
                        for channel in 0..<3 { target[written + channel] = source[index + channel] }
                        written += 3
                        index += across * 3
                    }
                }
            }
            initialised = pixels.count
        }
        return RGBImage(width: newWidth, height: newHeight, pixels: turned)
    }
}
