import Foundation
import ONNX
import SwiftProtobuf
import TensorCore

@testable import Graphs

/// Models made in a few lines, good and bad ones.
struct ModelBuilder {
    var proto = ModelProto()

    init(opset: Int64 = 20) {
        var set = OperatorSetIdProto()
        set.version = opset
        proto.irVersion = 9
        proto.opsetImport = [set]
        proto.graph.name = "test"
    }

    static func information(_ name: String, _ type: ElementType, _ shape: [Any]?) -> ValueInfoProto {
        var info = ValueInfoProto()
        info.name = name
        info.type.tensorType.elemType = Int32(type.code)
        if let shape {
            info.type.tensorType.shape.dim = shape.map { extent in
                var dimension = TensorShapeProto.Dimension()
                if let symbol = extent as? String {
                    dimension.dimParam = symbol
                } else {
                    dimension.dimValue = Int64(extent as? Int ?? -1)
                }
                return dimension
            }
        }
        return info
    }

    mutating func input(_ name: String, _ type: ElementType = .float32, _ shape: [Any]?) {
        proto.graph.input.append(Self.information(name, type, shape))
    }

    mutating func output(_ name: String, _ type: ElementType = .float32, _ shape: [Any]? = nil) {
        proto.graph.output.append(Self.information(name, type, shape))
    }

    mutating func weight(_ name: String, _ shape: [Int], _ value: Float = 0.5) {
        proto.graph.initializer.append(TensorProto(GraphValue(Tensor(repeating: value, Shape(shape))), name: name))
    }

    mutating func integers(_ name: String, _ values: [Int], _ shape: [Int]? = nil) {
        proto.graph.initializer.append(TensorProto(.int64(values, shape ?? [values.count]), name: name))
    }

    mutating func node(
        _ op: String, _ inputs: [String], _ outputs: [String], name: String? = nil, _ attributes: [AttributeProto] = []
    ) {
        var node = NodeProto()
        node.opType = op
        node.name = name ?? "\(op)_\(proto.graph.node.count)"
        node.input = inputs
        node.output = outputs
        node.attribute = attributes
        proto.graph.node.append(node)
    }

    static func integer(_ name: String, _ value: Int64) -> AttributeProto {
        var attribute = AttributeProto()
        attribute.name = name
        attribute.type = .int
        attribute.i = value
        return attribute
    }

    static func integers(_ name: String, _ values: [Int64]) -> AttributeProto {
        var attribute = AttributeProto()
        attribute.name = name
        attribute.type = .ints
        attribute.ints = values
        return attribute
    }

    static func string(_ name: String, _ value: String) -> AttributeProto {
        var attribute = AttributeProto()
        attribute.name = name
        attribute.type = .string
        attribute.s = Data(value.utf8)
        return attribute
    }

    static func graph(_ name: String, _ value: GraphProto) -> AttributeProto {
        var attribute = AttributeProto()
        attribute.name = name
        attribute.type = .graph
        attribute.g = value
        return attribute
    }

    var data: Data {
        get throws { try proto.serializedData() }
    }

    func model(_ limits: GraphLimits = .default) throws -> GraphModel { try GraphModel(data: data, limits: limits) }

    /// `x [batch, 4] → Gemm → Relu → Gemm → y [batch, 3]`
    static var head: ModelBuilder {
        var builder = ModelBuilder()
        builder.input("x", .float32, ["batch", 4])
        builder.weight("w1", [4, 5])
        builder.weight("b1", [5])
        builder.weight("w2", [5, 3])
        builder.node("Gemm", ["x", "w1", "b1"], ["h"])
        builder.node("Relu", ["h"], ["r"])
        builder.node("MatMul", ["r", "w2"], ["y"])
        builder.output("y", .float32, ["batch", 3])
        return builder
    }
}
