package import Images
import Encoders
package import TensorCore

/// Square images of one size as bytes `[count, channels, side, side]`, in memory.
package struct PixelSet: Sendable {
    package let side: Int
    package let channels: Int
    package private(set) var bytes: [UInt8] = []
    /// Images that came in another size, and the first one's.
    package private(set) var resized = 0
    package private(set) var firstSize = ""

    package init(side: Int, channels: Int) {
        (self.side, self.channels) = (side, channels)
    }

    /// Numbers of one image.
    package var pixels: Int { channels * side * side }
    package var count: Int { bytes.count / pixels }

    /// Most bytes all images may have together.
    package static let largest = 4 << 30

    /// - Throws: `LatentError.limitExceeded` when `count` images do not fit, before memory is taken.
    package func require(room count: Int) throws {
        guard count <= Self.largest / pixels else {
            throw LatentError(
                .limitExceeded,
                "\(count) images of \(side) × \(side) × \(channels) take \(count * pixels >> 20) MiB; the limit is "
                    + "\(Self.largest >> 20) MiB. Use fewer images, or a smaller size.")
        }
    }

    /// Appends an image, resized when it is of another size; grey when there is one channel.
    package mutating func append(_ image: RGBImage) {
        if image.width != side || image.height != side {
            resized += 1
            if firstSize.isEmpty { firstSize = "\(image.width) × \(image.height)" }
        }
        let fitted = image.resized(width: side, height: side, filter: .bilinear), source = fitted.pixels
        if channels == 1 {
            for i in stride(from: 0, to: source.count, by: 3) {
                bytes.append(LatentNetwork.luma(source[i], source[i + 1], source[i + 2]))
            }
        } else {
            for channel in 0..<3 {
                for i in stride(from: channel, to: source.count, by: 3) { bytes.append(source[i]) }
            }
        }
    }

    /// Appends images as they are: `[count, channels, side, side]`.
    package mutating func append(planes: some Collection<UInt8>) {
        precondition(planes.count % pixels == 0, "\(planes.count) bytes for images of \(pixels)")
        bytes.append(contentsOf: planes)
    }

    /// What to say about images of another size; nil when there are none.
    package var note: String? {
        resized == 0
            ? nil
            : "\(resized) of \(count) images were resized to \(side) × \(side); the first was \(firstSize)."
    }

    /// The images at `rows` as numbers from 0 to 1: `[rows, channels, side, side]`.
    package func batch(_ rows: some Collection<Int>) -> Tensor {
        let result = Tensor(uninitialised: [rows.count, channels, side, side]), out = result.mutablePointer
        bytes.withUnsafeBufferPointer { bytes in
            for (position, row) in rows.enumerated() {
                for i in 0..<pixels { out[position * pixels + i] = Float(bytes[row * pixels + i]) * (1 / 255) }
            }
        }
        return result
    }

    /// Some of the images.
    package func selecting(_ rows: some Sequence<Int>) -> PixelSet {
        var result = PixelSet(side: side, channels: channels)
        for row in rows { result.bytes.append(contentsOf: bytes[row * pixels..<(row + 1) * pixels]) }
        return result
    }
}
