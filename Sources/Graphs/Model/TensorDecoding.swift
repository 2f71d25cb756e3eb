import Foundation
package import ONNX
import TensorCore

extension GraphValue {
    /// The value of a tensor of a model.
    ///
    /// - Throws: `GraphError` for weights in other files (which are never opened), types that are not supported, and elements that
    ///   do not fit the shape.
    package init(_ proto: TensorProto, limits: GraphLimits) throws(GraphError) {
        let name = proto.name
        let (type, shape, count) = try Self.header(proto, limits: limits)
        if proto.hasRawData {
            guard count.times(type.width) == proto.rawData.count else {
                throw GraphError(
                    .malformed,
                    "tensor \"\(name)\" has \(proto.rawData.count) bytes for \(count) elements of \(type.rawValue)")
            }
            try self.init(type: type, shape: shape, bytes: proto.rawData)
            return
        }
        func fit(_ present: Int) throws(GraphError) {
            guard present == count else {
                throw GraphError(.malformed, "tensor \"\(name)\" has \(present) elements for shape \(text(shape))")
            }
        }
        switch type {
        case .float32:
            try fit(proto.floatData.count)
            self.init(Tensor(proto.floatData, Shape(shape)))
        case .float64:
            try fit(proto.doubleData.count)
            self.init(type, shape, .real(proto.doubleData))
        case .float16, .bfloat16:
            try fit(proto.int32Data.count)
            let bits = proto.int32Data.map { UInt16(truncatingIfNeeded: $0) }
            self.init(
                type, shape,
                .real(bits.map { type == .float16 ? Double(Float16(bitPattern: $0)) : Double(BrainFloat.value($0)) }))
        case .int8, .int16, .int32:
            try fit(proto.int32Data.count)
            self.init(type, shape, .signed(proto.int32Data.map { type.wrap(Int64($0)) }))
        case .int64:
            try fit(proto.int64Data.count)
            self.init(type, shape, .signed(proto.int64Data))
        case .uint8, .uint16:
            try fit(proto.int32Data.count)
            self.init(type, shape, .unsigned(proto.int32Data.map { type.wrap(UInt64(truncatingIfNeeded: $0)) }))
        case .uint32, .uint64:
            try fit(proto.uint64Data.count)
            self.init(type, shape, .unsigned(proto.uint64Data.map { type.wrap($0) }))
        case .bool:
            try fit(proto.int32Data.count)
            self.init(type, shape, .truth(proto.int32Data.map { $0 != 0 }))
        }
    }

    static func header(_ proto: TensorProto, limits: GraphLimits) throws(GraphError) -> (ElementType, [Int], Int) {
        let name = proto.name
        if proto.dataLocation == .external || !proto.externalData.isEmpty {
            throw GraphError(
                .externalData,
                "tensor \"\(name)\" keeps its elements in another file; save the model with its weights inside (onnx.save_model "
                    + "with save_as_external_data=False)")
        }
        guard let type = ElementType(code: Int(proto.dataType)) else {
            throw GraphError(
                .unsupported,
                "tensor \"\(name)\" is of type \(ElementType.name(code: Int(proto.dataType))), which is not supported; cast it "
                    + "to one of \(ElementType.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard proto.dims.count <= limits.rank else {
            throw GraphError(
                .tooLarge, "tensor \"\(name)\" has \(proto.dims.count) axes; at most \(limits.rank) are allowed")
        }
        let shape = proto.dims.map { Int($0) }
        let count: Int
        do { count = try checkedCount(shape) } catch {
            throw GraphError(error.code, "tensor \"\(name)\": \(error.message)")
        }
        guard count <= limits.tensorElements else {
            throw GraphError(
                .tooLarge,
                "tensor \"\(name)\" of shape \(text(shape)) has \(count) elements; at most \(limits.tensorElements) are allowed"
            )
        }
        return (type, shape, count)
    }
}

extension TensorProto {
    /// A tensor of a model with the elements of `value`, little-endian in `raw_data`.
    init(_ value: GraphValue, name: String) {
        self.init()
        self.name = name
        dataType = Int32(value.type.code)
        dims = value.shape.map(Int64.init)
        rawData = value.bytes
    }
}
