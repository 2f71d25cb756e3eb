import CImages

/// What the first bytes of an image say, read without decoding a pixel.
package struct ImageHeader: Sendable, Equatable {
    package let format: ImageFormat
    package let width: Int
    package let height: Int

    /// - Throws: `ImageError` when the bytes are no image, or one larger than the limits.
    package init(_ bytes: UnsafeRawBufferPointer, limits: ImageLimits = .standard) throws(ImageError) {
        guard bytes.count <= limits.bytes else {
            throw ImageError(.tooLarge, "has \(bytes.count) bytes; the limit is \(limits.bytes)")
        }
        let format = try ImageFormat(bytes)
        var size = ci_size()
        try format.codec(bytes) { start, count, message in
            switch format {
            case .jpeg: ci_jpeg_header(start, count, &size, message)
            case .png: ci_png_header(start, count, &size, message)
            case .webp: ci_webp_header(start, count, &size, message)
            }
        }
        self.format = format
        (width, height) = (Int(size.width), Int(size.height))
        guard width > 0, height > 0 else { throw ImageError(.corrupt, "claims a size of \(width) × \(height) pixels") }
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, count <= limits.pixels else {
            throw ImageError(
                .tooLarge,
                "claims \(width) × \(height) pixels; the limit is \(limits.pixels) pixels in all. Make it smaller")
        }
    }
}

extension ImageFormat {
    /// Calls a codec and turns its status into an error.
    func codec(
        _ bytes: UnsafeRawBufferPointer,
        _ call: (UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<CChar>?) -> ci_status
    ) throws(ImageError) {
        var status = ci_ok
        let message = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(ci_message_size)) { message in
            message.initialize(repeating: 0)
            status = call(bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count, message.baseAddress)
            return status == ci_ok
                ? "" : String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        switch status {
        case ci_ok: return
        case ci_truncated: throw ImageError(.truncated, "is a \(rawValue) file cut short (\(message)). Fetch it again")
        case ci_unsupported:
            throw ImageError(.unsupported, "is a \(rawValue) file of a kind that is not read (\(message))")
        case ci_too_large: throw ImageError(.tooLarge, "is a \(rawValue) file too costly to decode (\(message))")
        case ci_no_memory: throw ImageError(.tooLarge, "needs more memory than there is (\(message))")
        default: throw ImageError(.corrupt, "is a damaged \(rawValue) file (\(message)). Fetch it again")
        }
    }
}
