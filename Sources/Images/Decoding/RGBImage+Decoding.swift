import CImages
package import Foundation

extension RGBImage {
    /// Decodes a JPEG, PNG or WebP file: grey is copied to all three channels, inks become colours, alpha is dropped.
    ///
    /// - Parameter upright: turns the image as its EXIF orientation says, which is how people, and the data sets encoders were
    ///   trained on, see it.
    /// - Throws: `ImageError` when the bytes are no image, cut short, damaged, or an image larger than the limits.
    package init(
        decoding bytes: UnsafeRawBufferPointer, limits: ImageLimits = .standard, upright: Bool = true
    ) throws(ImageError) {
        let header = try ImageHeader(bytes, limits: limits)
        let size = ci_size(width: UInt32(header.width), height: UInt32(header.height))
        let count = header.width * header.height * 3
        var failure: ImageError?
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { target, initialised in
            do throws(ImageError) {
                try header.format.codec(bytes) { start, length, message in
                    switch header.format {
                    case .jpeg: ci_jpeg_decode(start, length, size, target.baseAddress, message)
                    case .png: ci_png_decode(start, length, size, target.baseAddress, message)
                    case .webp: ci_webp_decode(start, length, size, target.baseAddress, message)
                    }
                }
                initialised = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        let decoded = RGBImage(width: header.width, height: header.height, pixels: pixels)
        self = upright ? decoded.turned(Orientation(bytes, format: header.format)) : decoded
    }

    /// - Throws: `ImageError`, as above.
    package init(decoding data: Data, limits: ImageLimits = .standard, upright: Bool = true) throws(ImageError) {
        var result: Result<RGBImage, ImageError> = .failure(ImageError(.truncated, "is empty"))
        data.withUnsafeBytes { bytes in
            do throws(ImageError) {
                result = .success(try RGBImage(decoding: bytes, limits: limits, upright: upright))
            } catch {
                result = .failure(error)
            }
        }
        self = try result.get()
    }
}
