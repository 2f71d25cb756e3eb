package import Foundation

/// An array in NumPy's `.npy` format: any rank, numbers and booleans.
///
/// Source: numpy/lib/format.py: magic, version, header length (`UInt16` in version 1.0, `UInt32` in 2.0 and 3.0), and a Python
/// dictionary padded with spaces so that the values begin at a multiple of 64 bytes.
package struct NumPyArray: Sendable, Equatable {
    /// NumPy's type codes without the byte order.
    package enum Element: String, Sendable, CaseIterable {
        case bool = "b1"
        case int8 = "i1", int16 = "i2", int32 = "i4", int64 = "i8"
        case uint8 = "u1", uint16 = "u2", uint32 = "u4", uint64 = "u8"
        case float16 = "f2", float32 = "f4", float64 = "f8"

        /// Bytes of one element.
        package var size: Int { Int(rawValue.suffix(1)) ?? 1 }
    }

    package let element: Element
    package let shape: [Int]
    /// Little-endian, row-major.
    package let bytes: Data

    package static let largestRank = 32

    package init(_ element: Element, shape: [Int], bytes: Data) {
        precondition(
            bytes.count == shape.reduce(element.size, *),
            "NumPyArray: \(bytes.count) bytes for \(element) of shape \(shape)")
        self.element = element
        self.shape = shape
        self.bytes = bytes
    }

    /// `values`: `[rows, width]`, row by row.
    package init(_ values: [Float], rows: Int, width: Int) {
        self.init(.float32, shape: [rows, width], bytes: Self.bytes(values))
    }

    /// The bytes of an `.npy` file.
    package func encoded() -> Data { Data(NumPyHeader(element: element, shape: shape).encoded) + bytes }

    /// Little-endian bytes of the values.
    static func bytes(_ values: [Float]) -> Data {
        #if _endian(little)
            return values.withUnsafeBytes { Data($0) }
        #else
            return values.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0) }
        #endif
    }

    /// Reads an `.npy` file.
    ///
    /// Throws: `TableError` where the file is something else, cut off, or too long.
    package static func read(path: String, sizeLimit: Int = Table.defaultSizeLimit) throws(TableError) -> NumPyArray {
        do throws(TableError) {
            return try NumPyArray(decoding: BoundedFile.read(path, limit: sizeLimit))
        } catch {
            throw error.of(path)
        }
    }

    /// Arrays in Fortran's order or big-endian are turned into ours.
    ///
    /// Throws: `.malformed`.
    package init(decoding data: Data) throws(TableError) {
        let bytes = [UInt8](data)
        let header = try NumPyHeader(decoding: bytes)
        var expected = header.element.size
        for size in header.shape {
            let (product, overflow) = expected.multipliedReportingOverflow(by: size)
            guard !overflow else { throw TableError(.malformed, "has a shape that no memory holds: \(header.shape)") }
            expected = product
        }
        guard bytes.count - header.end == expected else {
            throw TableError(
                .malformed,
                "has \(bytes.count - header.end) bytes of values, where \(header.element) of \(header.shape) has \(expected)"
            )
        }
        var values = Array(bytes[header.end...])
        if header.isBigEndian { Self.reverseElements(&values, size: header.element.size) }
        if header.isFortranOrder { values = Self.rowMajor(values, header.shape, size: header.element.size) }
        self.init(header.element, shape: header.shape, bytes: Data(values))
    }

    private static func reverseElements(_ bytes: inout [UInt8], size: Int) {
        for start in stride(from: 0, to: bytes.count, by: size) { bytes[start..<start + size].reverse() }
    }

    private static func rowMajor(_ bytes: [UInt8], _ shape: [Int], size: Int) -> [UInt8] {
        guard shape.count > 1, !bytes.isEmpty else { return bytes }
        var strides = [Int](repeating: size, count: shape.count)
        for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
        var result: [UInt8] = [], index = [Int](repeating: 0, count: shape.count), offset = 0
        result.reserveCapacity(bytes.count)
        while true {
            result += bytes[offset..<offset + size]
            var axis = shape.count - 1
            while axis >= 0 {
                index[axis] += 1
                offset += strides[axis]
                if index[axis] < shape[axis] { break }
                offset -= strides[axis] * shape[axis]
                index[axis] = 0
                axis -= 1
            }
            if axis < 0 { return result }
        }
    }
}
