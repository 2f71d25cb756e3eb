import CImages
package import Foundation

extension RGBImage {
    /// The image as a PNG file. The same pixels give the same bytes.
    /// - Throws: `ImageError.tooLarge` for more than 2³¹ bytes of pixels.
    package func png() throws(ImageError) -> Data {
        guard pixels.count < Int(Int32.max) else {
            throw ImageError(.tooLarge, "\(width) × \(height) pixels are too many for one file")
        }
        let size = ci_size(width: UInt32(width), height: UInt32(height))
        var message = [CChar](repeating: 0, count: Int(ci_message_size)), count = 0, status = ci_ok
        _ = ci_png_encode(pixels, size, nil, &count, &message)
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { target, initialised in
            status = ci_png_encode(pixels, size, target.baseAddress, &count, &message)
            initialised = status == ci_ok ? count : 0
        }
        guard status == ci_ok else {
            let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw ImageError(.unreadable, "could not be written as PNG: \(reason)")
        }
        return Data(bytes)
    }
}
