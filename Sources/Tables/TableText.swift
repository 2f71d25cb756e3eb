import Foundation

/// The bytes of a text, without a byte order mark.
struct TableText: Sendable {
    let bytes: [UInt8]

    init(_ data: Data) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        bytes = data.starts(with: mark) ? [UInt8](data.dropFirst(mark.count)) : [UInt8](data)
    }

    /// Where the first byte is that is not UTF-8, and what is wrong with it; nil if there is none.
    func firstInvalidByte() -> (offset: Int, reason: String)? {
        do {
            _ = try UTF8Span(validating: bytes.span)
            return nil
        } catch {
            let offset = error.byteOffsets.lowerBound
            return (offset, "byte 0x\(String(bytes[offset], radix: 16, uppercase: true)) is not UTF-8")
        }
    }

    /// Line of a byte, from 1. Lines end with LF, CR LF or CR.
    func line(of offset: Int) -> Int {
        var line = 1
        for index in 0..<offset where bytes[index] == 0x0A || (bytes[index] == 0x0D && !followsLF(index)) {
            line += 1
        }
        return line
    }

    private func followsLF(_ index: Int) -> Bool {
        index + 1 < bytes.count && bytes[index + 1] == 0x0A
    }
}
