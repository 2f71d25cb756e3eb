package import Foundation
import Glibc
package import TensorCore

/// A safetensors file, memory-mapped: `u64` header length, JSON header, then the tensors' bytes.
/// Format: https://github.com/huggingface/safetensors (0.4). Every number of the header is checked before it is used.
package final class Safetensors: @unchecked Sendable {
    // `@unchecked`: the mapping is read-only and everything else is `let`.
    package enum ElementType: String, Sendable {
        case f32 = "F32", f16 = "F16", bf16 = "BF16", f64 = "F64", i64 = "I64", i32 = "I32", u8 = "U8", bool = "BOOL"

        var size: Int {
            switch self {
            case .f64, .i64: 8
            case .f32, .i32: 4
            case .f16, .bf16: 2
            case .u8, .bool: 1
            }
        }
    }

    package struct Entry: Sendable {
        package let type: ElementType
        package let shape: [Int]
        /// Offsets from the start of the file.
        package let bytes: Range<Int>
    }

    /// The header's own limit in the reference implementation.
    package static let largestHeader = 100_000_000

    package let file: String
    package let entries: [String: Entry]
    package let metadata: [String: String]
    fileprivate let base: UnsafeMutableRawPointer
    fileprivate let size: Int

    package var names: [String] { entries.keys.sorted() }
    package var byteCount: Int { size }

    /// - Throws: `CheckpointError` when the file cannot be read, is cut short, or its header is malformed.
    package init(_ url: URL) throws {
        file = url.path
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CheckpointError(.unreadable, "cannot be opened: \(String(cString: strerror(errno)))", file: url.path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CheckpointError(.unreadable, "is not a regular file", file: url.path)
        }
        size = Int(status.st_size)
        guard size >= 8 else {
            throw CheckpointError(.truncated, "has \(size) bytes; a safetensors file has at least 8. Fetch it again", file: url.path)
        }
        guard let mapped = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
            throw CheckpointError(.unreadable, "cannot be mapped: \(String(cString: strerror(errno)))", file: url.path)
        }
        base = mapped
        do {
            (entries, metadata) = try Self.parse(UnsafeRawBufferPointer(start: mapped, count: size), file: url.path)
        } catch {
            munmap(mapped, size)
            throw error
        }
    }

    deinit { munmap(base, size) }

    /// The tensor's values as floats: f32 is borrowed from the mapping, half precisions and f64 are converted.
    package func tensor(_ name: String) throws -> Tensor {
        guard let entry = entries[name] else {
            throw CheckpointError(.missingTensor, "has no tensor \"\(name)\"", file: file)
        }
        let shape = Shape(entry.shape), start = base + entry.bytes.lowerBound
        switch entry.type {
        case .f32:
            if Int(bitPattern: start) % MemoryLayout<Float>.alignment == 0 {
                let pointer = UnsafePointer(start.assumingMemoryBound(to: Float.self))
                return Tensor(storage: Storage(borrowing: pointer, count: shape.count, owner: self), shape: shape)
            }
            return converted(shape, start) { (bits: UInt32) in Float(bitPattern: bits) }
        case .f16:
            return converted(shape, start) { (bits: UInt16) in Self.float(half: bits) }
        case .bf16:
            return converted(shape, start) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
        case .f64:
            return converted(shape, start) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
        case .i64, .i32, .u8, .bool:
            throw CheckpointError(
                .unsupportedType, "\"\(name)\" holds \(entry.type.rawValue); weights must be F32, F16, BF16 or F64", file: file)
        }
    }

    /// The values of an integer tensor.
    package func integers(_ name: String) throws -> [Int] {
        guard let entry = entries[name] else {
            throw CheckpointError(.missingTensor, "has no tensor \"\(name)\"", file: file)
        }
        let start = base + entry.bytes.lowerBound, count = Shape(entry.shape).count
        switch entry.type {
        case .i64: return (0..<count).map { Int(start.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
        case .i32: return (0..<count).map { Int(start.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self)) }
        case .u8, .bool: return (0..<count).map { Int(start.loadUnaligned(fromByteOffset: $0, as: UInt8.self)) }
        case .f32, .f16, .bf16, .f64:
            throw CheckpointError(.unsupportedType, "\"\(name)\" holds \(entry.type.rawValue), not integers", file: file)
        }
    }

    private func converted<Bits: BitwiseCopyable>(
        _ shape: Shape, _ start: UnsafeMutableRawPointer, _ convert: (Bits) -> Float
    ) -> Tensor {
        let tensor = Tensor(uninitialised: shape)
        for i in 0..<shape.count {
            tensor.mutablePointer[i] = convert(start.loadUnaligned(fromByteOffset: i * MemoryLayout<Bits>.stride, as: Bits.self))
        }
        return tensor
    }

    /// IEEE binary16 → binary32; `Float16` is not available on every platform Swift builds for.
    private static func float(half bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16, exponent = UInt32(bits >> 10) & 0x1f, fraction = UInt32(bits & 0x3ff)
        switch exponent {
        case 0: return Float(fraction) * 0x1p-24 * (sign == 0 ? 1 : -1)
        case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}

// MARK: Header

extension Safetensors {
    private static func parse(
        _ bytes: UnsafeRawBufferPointer, file: String
    ) throws -> (entries: [String: Entry], metadata: [String: String]) {
        func malformed(_ message: String) -> CheckpointError { CheckpointError(.malformedHeader, message, file: file) }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(largestHeader) else {
            throw malformed("claims a header of \(length) bytes; the limit is \(largestHeader). This is not a safetensors file")
        }
        guard length <= UInt64(bytes.count - 8) else {
            throw CheckpointError(
                .truncated, "claims a header of \(length) bytes but has \(bytes.count) in all. Fetch it again", file: file)
        }
        let start = 8 + Int(length)
        let json: Any
        do {
            json = try JSONSerialization.jsonObject(with: Data(bytes[8..<start]))
        } catch {
            throw CheckpointError(.malformedHeader, "its header is not JSON", file: file, cause: error)
        }
        guard let header = json as? [String: Any] else { throw malformed("its header is not a JSON object") }
        var entries: [String: Entry] = [:], metadata: [String: String] = [:]
        for (name, value) in header {
            if name == "__metadata__" {
                guard let pairs = value as? [String: String] else { throw malformed("its metadata is not text") }
                metadata = pairs
                continue
            }
            guard let fields = value as? [String: Any], let typeName = fields["dtype"] as? String,
                let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int], offsets.count == 2
            else { throw malformed("entry \"\(name)\" lacks dtype, shape or data_offsets") }
            guard let type = ElementType(rawValue: typeName) else {
                throw CheckpointError(.unsupportedType, "\"\(name)\" has the unknown type \(typeName)", file: file)
            }
            guard shape.count <= 16, shape.allSatisfy({ $0 >= 0 }) else { throw malformed("\"\(name)\" has shape \(shape)") }
            var expected = type.size
            for extent in shape {
                let (product, overflow) = expected.multipliedReportingOverflow(by: extent)
                guard !overflow else { throw malformed("\"\(name)\" has shape \(shape), more than memory can hold") }
                expected = product
            }
            guard offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] - offsets[0] == expected else {
                throw malformed("\"\(name)\" of shape \(shape) and type \(typeName) cannot lie at \(offsets)")
            }
            guard offsets[1] <= bytes.count - start else {
                throw CheckpointError(
                    .truncated, "\"\(name)\" ends at byte \(start + offsets[1]) but the file has \(bytes.count). Fetch it again",
                    file: file)
            }
            entries[name] = Entry(type: type, shape: shape, bytes: start + offsets[0]..<start + offsets[1])
        }
        var end = start
        for (name, entry) in entries.sorted(by: { ($0.value.bytes.lowerBound, $0.value.bytes.upperBound) < ($1.value.bytes.lowerBound, $1.value.bytes.upperBound) }) {
            guard entry.bytes.lowerBound == end else {
                throw malformed("\"\(name)\" overlaps its neighbour or leaves a gap: the file was altered")
            }
            end = entry.bytes.upperBound
        }
        guard end == bytes.count else {
            throw malformed("has \(bytes.count - end) bytes after its last tensor: the file was altered")
        }
        return (entries, metadata)
    }
}

extension Safetensors {
    /// Lets the system drop the mapped pages; they are read from the file again when needed.
    package func releasePages() { madvise(base, size, MADV_DONTNEED) }
}
