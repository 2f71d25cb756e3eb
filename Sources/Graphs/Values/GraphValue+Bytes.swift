package import Foundation
import TensorCore

extension GraphValue {
    /// A value from its elements in row-major order, little-endian; a bool is a byte.
    ///
    /// - Throws: `GraphError` when the shape has a negative extent or the bytes do not fit it.
    package init(type: ElementType, shape: [Int], bytes: Data) throws(GraphError) {
        let count = try checkedCount(shape)
        guard let expected = count.times(type.width), bytes.count == expected else {
            throw GraphError(
                .typeMismatch,
                "\(bytes.count) bytes for a \(type.rawValue) value of shape \(text(shape)); give \(count) elements")
        }
        self.init(type, shape, bytes.withUnsafeBytes { Self.content(type, shape, count, $0) })
    }

    private static func content(
        _ type: ElementType, _ shape: [Int], _ count: Int, _ bytes: UnsafeRawBufferPointer
    ) -> Content {
        func load<T: FixedWidthInteger>(_: T.Type) -> [T] {
            (0..<count).map { T(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * T.bitWidth / 8, as: T.self)) }
        }
        switch type {
        case .float32:
            let tensor = Tensor(uninitialised: Shape(shape)), target = tensor.mutablePointer
            for i in 0..<count {
                target[i] = Float(
                    bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self)))
            }
            return .float(tensor)
        case .float64: return .real(load(UInt64.self).map { Double(bitPattern: $0) })
        case .float16: return .real(load(UInt16.self).map { Double(Float16(bitPattern: $0)) })
        case .bfloat16: return .real(load(UInt16.self).map { Double(BrainFloat.value($0)) })
        case .int8: return .signed(load(Int8.self).map(Int64.init))
        case .int16: return .signed(load(Int16.self).map(Int64.init))
        case .int32: return .signed(load(Int32.self).map(Int64.init))
        case .int64: return .signed(load(Int64.self))
        case .uint8: return .unsigned(load(UInt8.self).map(UInt64.init))
        case .uint16: return .unsigned(load(UInt16.self).map(UInt64.init))
        case .uint32: return .unsigned(load(UInt32.self).map(UInt64.init))
        case .uint64: return .unsigned(load(UInt64.self))
        case .bool: return .truth(load(UInt8.self).map { $0 != 0 })
        }
    }

    /// The elements in row-major order, little-endian; a bool is a byte. Empty for a value without elements of its own, as
    /// checking makes them.
    package var bytes: Data {
        switch content {
        case .float(let tensor):
            let dense = tensor.contiguous()
            return store((0..<tensor.count).lazy.map { dense.pointer[$0].bitPattern })
        case .real(let values):
            switch type {
            case .float16: return store(values.lazy.map { Float16($0).bitPattern })
            case .bfloat16: return store(values.lazy.map(BrainFloat.bits))
            default: return store(values.lazy.map(\.bitPattern))
            }
        case .signed(let values):
            switch type {
            case .int8: return store(values.lazy.map { Int8(truncatingIfNeeded: $0) })
            case .int16: return store(values.lazy.map { Int16(truncatingIfNeeded: $0) })
            case .int32: return store(values.lazy.map { Int32(truncatingIfNeeded: $0) })
            default: return store(values)
            }
        case .unsigned(let values):
            switch type {
            case .uint8: return store(values.lazy.map { UInt8(truncatingIfNeeded: $0) })
            case .uint16: return store(values.lazy.map { UInt16(truncatingIfNeeded: $0) })
            case .uint32: return store(values.lazy.map { UInt32(truncatingIfNeeded: $0) })
            default: return store(values)
            }
        case .truth(let values): return Data(values.map { $0 ? 1 : 0 })
        case .absent, .shapeless: return Data()
        }
    }

    private func store<T: FixedWidthInteger>(_ values: some Collection<T>) -> Data {
        var data = Data(capacity: values.count * T.bitWidth / 8)
        for value in values { withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) } }
        return data
    }
}
