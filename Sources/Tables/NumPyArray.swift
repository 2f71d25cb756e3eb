package import Foundation

/// A matrix of 32-bit floats `[rows, width]` in NumPy's `.npy` format, little-endian, row-major.
///
/// Source: numpy/lib/format.py, "Format Version 1.0": magic, version, header length (`UInt16`), and a Python dictionary
/// padded with spaces so that the values begin at a multiple of 64 bytes.
package struct NumPyArray: Sendable, Equatable {
    package var values: [Float]
    package var rows: Int
    package var width: Int

    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    private static let alignment = 64

    /// `values`: `[rows, width]`, row by row.
    package init(_ values: [Float], rows: Int, width: Int) {
        precondition(values.count == rows * width, "NumPyArray: \(values.count) values for [\(rows), \(width)]")
        self.values = values
        self.rows = rows
        self.width = width
    }

    /// The bytes of an `.npy` file.
    package func encoded() -> Data {
        Data(Self.header(rows: rows, width: width)) + Self.bytes(values)
    }

    /// What stands before the values in a file of `[rows, width]`.
    static func header(rows: Int, width: Int) -> [UInt8] {
        var text = Array("{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(width)), }".utf8)
        let prefix = magic.count + 4
        let padding = (alignment - (prefix + text.count + 1) % alignment) % alignment
        text += Array(repeating: 0x20, count: padding) + [0x0A]
        return magic + [1, 0, UInt8(text.count & 0xFF), UInt8(text.count >> 8)] + text
    }

    /// Little-endian bytes of the values.
    static func bytes(_ values: [Float]) -> Data {
        #if _endian(little)
            return values.withUnsafeBytes { Data($0) }
        #else
            return values.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0) }
        #endif
    }

    /// Reads an `.npy` file with a two-dimensional array of 32-bit floats.
    ///
    /// Throws: `TableError` where the file is something else, cut off, or too long.
    package static func read(path: String, sizeLimit: Int = Table.defaultSizeLimit) throws(TableError) -> NumPyArray {
        do throws(TableError) {
            return try NumPyArray(decoding: BoundedFile.read(path, limit: sizeLimit))
        } catch {
            throw error.of(path)
        }
    }

    /// Throws: `.malformed`.
    package init(decoding data: Data) throws(TableError) {
        let bytes = [UInt8](data)
        guard bytes.starts(with: Self.magic), bytes.count >= Self.magic.count + 4 else {
            throw TableError(.malformed, "is no .npy file: it does not begin with NumPy's mark")
        }
        let version = bytes[Self.magic.count]
        guard version == 1 else {
            throw TableError(.malformed, ".npy version \(version) is not supported; save the array with numpy.save")
        }
        let start = Self.magic.count + 4
        let end = start + Int(bytes[start - 2]) + Int(bytes[start - 1]) << 8
        guard end <= bytes.count else { throw TableError(.malformed, "is cut off inside its header") }
        let header = String(decoding: bytes[start..<end], as: UTF8.self)
        let (rows, width) = try Self.shape(header)
        let (count, overflow) = rows.multipliedReportingOverflow(by: width)
        guard !overflow, count <= Int.max / 4, bytes.count - end == count * 4 else {
            throw TableError(
                .malformed, "has \(bytes.count - end) bytes of values, which [\(rows), \(width)] does not account for")
        }
        let values = bytes.withUnsafeBytes { buffer in
            [Float](unsafeUninitializedCapacity: count) { floats, initialised in
                for index in 0..<count {
                    let bits = buffer.loadUnaligned(fromByteOffset: end + index * 4, as: UInt32.self)
                    floats.initializeElement(at: index, to: Float(bitPattern: UInt32(littleEndian: bits)))
                }
                initialised = count
            }
        }
        self.init(values, rows: rows, width: width)
    }

    /// Rows and width in a header such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
    private static func shape(_ header: String) throws(TableError) -> (rows: Int, width: Int) {
        guard header.contains("'descr': '<f4'"), header.contains("'fortran_order': False") else {
            throw TableError(
                .malformed,
                "must hold 32-bit floats in C order, not \(header.prefix(80)); convert with astype('float32')")
        }
        let shape = header.firstRange(of: "'shape': (").map { header[$0.upperBound...].prefix { $0 != ")" } } ?? ""
        let sizes = shape.split(separator: ",").map { Int($0.filter { $0 != " " }) }
        guard sizes.count == 2, let rows = sizes[0], let width = sizes[1], rows >= 0, width >= 0 else {
            throw TableError(.malformed, "must have two dimensions: \(header.prefix(80))")
        }
        return (rows, width)
    }
}
