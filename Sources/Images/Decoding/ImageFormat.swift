/// The formats that are read, and how their files begin.
package enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webp = "WebP"

    /// File name extensions, lower case.
    package static let extensions: Set<String> = ["jpg", "jpeg", "jpe", "jfif", "png", "webp"]

    /// - Throws: `ImageError` naming what the bytes are instead, where that can be told.
    package init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        func begins(_ signature: [UInt8], at offset: Int = 0) -> Bool {
            bytes.count >= offset + signature.count && bytes[offset..<offset + signature.count].elementsEqual(signature)
        }
        func begins(_ text: StaticString, at offset: Int = 0) -> Bool {
            begins(Array(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)), at: offset)
        }
        if begins([0xff, 0xd8, 0xff]) {
            self = .jpeg
        } else if begins([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
            self = .png
        } else if begins("RIFF"), begins("WEBP", at: 8) {
            self = .webp
        } else {
            guard !bytes.isEmpty else { throw ImageError(.truncated, "is empty") }
            let known: [(String, Bool)] = [
                ("GIF", begins("GIF8")), ("BMP", begins("BM")), ("TIFF", begins("II*\0") || begins("MM\0*")),
                ("HEIC or AVIF", begins("ftyp", at: 4)), ("JPEG XL", begins([0xff, 0x0a])), ("SVG or XML", begins("<")),
                ("PDF", begins("%PDF")), ("ZIP", begins("PK\u{3}\u{4}")), ("gzip", begins([0x1f, 0x8b])),
            ]
            if let kind = known.first(where: \.1)?.0 {
                throw ImageError(
                    ["ZIP", "gzip", "PDF"].contains(kind) ? .notAnImage : .unsupported,
                    "is a \(kind) file; JPEG, PNG and WebP are read. Convert it")
            }
            throw ImageError(.notAnImage, "is not an image: it does not begin as a JPEG, PNG or WebP file")
        }
    }
}
