import ONNX

/// The element types a graph may use. Strings, complex numbers and the types below eight bits are refused.
package enum ElementType: String, Sendable, CaseIterable, Codable {
    case float32, float64, float16, bfloat16
    case int8, int16, int32, int64
    case uint8, uint16, uint32, uint64
    case bool

    /// Bytes of one element in a file.
    package var width: Int {
        switch self {
        case .int8, .uint8, .bool: 1
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float32, .int32, .uint32: 4
        case .float64, .int64, .uint64: 8
        }
    }

    /// Bytes of one element while a graph runs: everything but float32 and bool is computed in 64 bits.
    var computeWidth: Int {
        switch self {
        case .float32: 4
        case .bool: 1
        default: 8
        }
    }

    package var isFloat: Bool { TypeSet.floats.contains(self) }
    var isSigned: Bool { TypeSet.signed.contains(self) }
    var isUnsigned: Bool { TypeSet.unsigned.contains(self) }
    var isInteger: Bool { isSigned || isUnsigned }

    /// The specification's number of the type; nil for types that are not supported.
    package init?(code: Int) {
        guard let type = Self.codes.first(where: { $0.code == code })?.type else { return nil }
        self = type
    }

    package var code: Int {
        Self.codes.first { $0.type == self }!.code
    }

    private static let codes: [(type: ElementType, code: Int)] = [
        (.float32, TensorProto.DataType.float.rawValue), (.float64, TensorProto.DataType.double.rawValue),
        (.float16, TensorProto.DataType.float16.rawValue), (.bfloat16, TensorProto.DataType.bfloat16.rawValue),
        (.int8, TensorProto.DataType.int8.rawValue), (.int16, TensorProto.DataType.int16.rawValue),
        (.int32, TensorProto.DataType.int32.rawValue), (.int64, TensorProto.DataType.int64.rawValue),
        (.uint8, TensorProto.DataType.uint8.rawValue), (.uint16, TensorProto.DataType.uint16.rawValue),
        (.uint32, TensorProto.DataType.uint32.rawValue), (.uint64, TensorProto.DataType.uint64.rawValue),
        (.bool, TensorProto.DataType.bool.rawValue),
    ]

    /// What to call a type number in an error, supported or not.
    static func name(code: Int) -> String {
        if let type = ElementType(code: code) { return type.rawValue }
        guard let type = TensorProto.DataType(rawValue: code) else { return "element type \(code)" }
        return "\(type)".lowercased()
    }
}

/// A set of element types, as operators state them.
struct TypeSet: Sendable, Equatable {
    let types: [ElementType]

    init(_ types: [ElementType]) { self.types = types }

    func contains(_ type: ElementType) -> Bool { types.contains(type) }
    static func + (a: TypeSet, b: TypeSet) -> TypeSet { TypeSet(a.types + b.types.filter { !a.contains($0) }) }

    static let floats = TypeSet([.float32, .float64, .float16, .bfloat16])
    static let signed = TypeSet([.int8, .int16, .int32, .int64])
    static let unsigned = TypeSet([.uint8, .uint16, .uint32, .uint64])
    static let integers = signed + unsigned
    static let numbers = floats + integers
    static let all = numbers + bool
    static let bool = TypeSet([.bool])
    static let indices = TypeSet([.int64, .int32])
    static let int64 = TypeSet([.int64])
    static let float32 = TypeSet([.float32])

    /// For the operator table and for errors.
    var description: String {
        switch self {
        case .all: "all"
        case .numbers: "floats, integers"
        case .floats: "floats"
        case .integers: "integers"
        default: types.map(\.rawValue).joined(separator: ", ")
        }
    }
}
