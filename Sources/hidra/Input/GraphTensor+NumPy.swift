import Foundation
import HidraClient
import HidraProtocol
import Tables

extension GraphTensor {
    private static let types: [(element: NumPyArray.Element, type: Hidra_V1_DataType, name: String)] = [
        (.bool, .bool, "bool"), (.int8, .int8, "int8"), (.int16, .int16, "int16"), (.int32, .int32, "int32"),
        (.int64, .int64, "int64"), (.uint8, .uint8, "uint8"), (.uint16, .uint16, "uint16"),
        (.uint32, .uint32, "uint32"),
        (.uint64, .uint64, "uint64"), (.float16, .float16, "float16"), (.float32, .float32, "float32"),
        (.float64, .float64, "float64"),
    ]

    init(name: String, array: NumPyArray) throws {
        guard let type = Self.types.first(where: { $0.element == array.element })?.type else {
            throw HidraError(.unsupported, "Input \(name): \(array.element) has no counterpart in a graph.")
        }
        self.init(name: name, type: type, shape: array.shape, bytes: [UInt8](array.bytes))
    }

    /// The type's name in ONNX.
    var typeName: String { type == .bfloat16 ? "bfloat16" : Self.types.first { $0.type == type }?.name ?? "unknown" }

    /// As a NumPy array; bfloat16 becomes float32, exactly.
    func array() throws -> NumPyArray {
        if type == .bfloat16 {
            // The upper half of a float32.
            var wide: [UInt8] = []
            for start in stride(from: 0, to: bytes.count, by: 2) { wide += [0, 0, bytes[start], bytes[start + 1]] }
            return NumPyArray(.float32, shape: shape, bytes: Data(wide))
        }
        guard let element = Self.types.first(where: { $0.type == type })?.element else {
            throw HidraError(.incompatibleVersion, "Output \(name) has a type this hidra does not know. Update it.")
        }
        return NumPyArray(element, shape: shape, bytes: Data(bytes))
    }
}
