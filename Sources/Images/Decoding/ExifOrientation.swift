extension Orientation {
    /// The orientation an image's EXIF block asks for; upright when there is none, or one that makes no sense: metadata is a
    /// wish, and a camera's mistake in it does not spoil the picture.
    init(_ bytes: UnsafeRawBufferPointer, format: ImageFormat) {
        let block =
            switch format {
            case .jpeg: ByteReader(bytes).exifOfJPEG()
            case .png: ByteReader(bytes).exifOfPNG()
            case .webp: ByteReader(bytes).exifOfWebP()
            }
        self = block?.orientation() ?? .upright
    }
}

/// A slice of a file, read with bounds checked: nil past the end.
private struct ByteReader {
    let bytes: UnsafeRawBufferPointer.SubSequence

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes[...] }
    init(_ bytes: UnsafeRawBufferPointer.SubSequence) { self.bytes = bytes }

    var count: Int { bytes.count }

    func byte(_ offset: Int) -> Int? {
        offset >= 0 && offset < count ? Int(bytes[bytes.startIndex + offset]) : nil
    }

    func number(_ offset: Int, bytes width: Int, bigEndian: Bool) -> Int? {
        guard offset >= 0, offset <= count - width else { return nil }
        return (0..<width).reduce(0) { value, index in
            let place = bigEndian ? index : width - 1 - index
            return value << 8 | Int(bytes[bytes.startIndex + offset + place])
        }
    }

    func slice(_ offset: Int, _ length: Int) -> ByteReader? {
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
        return ByteReader(bytes[bytes.startIndex + offset..<bytes.startIndex + offset + length])
    }

    func begins(_ text: StaticString, at offset: Int = 0) -> Bool {
        guard let part = slice(offset, text.utf8CodeUnitCount) else { return false }
        return part.bytes.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    // MARK: Containers

    /// The TIFF block of the APP1 segment. The walk ends where the scan begins.
    func exifOfJPEG() -> ByteReader? {
        var offset = 2
        while let marker = number(offset, bytes: 2, bigEndian: true), marker >> 8 == 0xff {
            if marker == 0xffff {
                offset += 1
                continue
            }
            // Markers without a segment; SOS and EOI end the header.
            if marker == 0xff01 || (0xffd0...0xffd8).contains(marker) {
                offset += 2
                continue
            }
            guard marker != 0xffda, marker != 0xffd9, let length = number(offset + 2, bytes: 2, bigEndian: true),
                length >= 2
            else { return nil }
            if marker == 0xffe1, let segment = slice(offset + 4, length - 2), segment.begins("Exif\0\0") {
                return segment.slice(6, segment.count - 6)
            }
            offset += 2 + length
        }
        return nil
    }

    /// The chunk `eXIf`, before or after the pixels.
    func exifOfPNG() -> ByteReader? {
        var offset = 8
        while let length = number(offset, bytes: 4, bigEndian: true), length <= count - offset {
            if begins("eXIf", at: offset + 4) { return slice(offset + 8, length)?.withoutPrefix }
            offset += 12 + length
        }
        return nil
    }

    /// The chunk `EXIF` of an extended WebP file.
    func exifOfWebP() -> ByteReader? {
        var offset = 12
        while let length = number(offset + 4, bytes: 4, bigEndian: false), length <= count - offset {
            if begins("EXIF", at: offset) { return slice(offset + 8, length)?.withoutPrefix }
            offset += 8 + length + length % 2
        }
        return nil
    }

    /// Some writers put JPEG's prefix before the block in other containers, too.
    private var withoutPrefix: ByteReader? { begins("Exif\0\0") ? slice(6, count - 6) : self }

    // MARK: TIFF

    /// Tag 0x0112 of the first directory, a short.
    func orientation() -> Orientation? {
        let bigEndian: Bool
        if begins("MM\0*") { bigEndian = true } else if begins("II*\0") { bigEndian = false } else { return nil }
        guard let directory = number(4, bytes: 4, bigEndian: bigEndian),
            let entries = number(directory, bytes: 2, bigEndian: bigEndian)
        else { return nil }
        for entry in 0..<entries {
            let offset = directory + 2 + entry * 12
            guard let tag = number(offset, bytes: 2, bigEndian: bigEndian) else { return nil }
            guard tag == 0x0112 else { continue }
            guard number(offset + 2, bytes: 2, bigEndian: bigEndian) == 3,
                let value = number(offset + 8, bytes: 2, bigEndian: bigEndian)
            else { return nil }
            return Orientation(rawValue: value)
        }
        return nil
    }
}
