package import Foundation
package import ONNX
import SwiftProtobuf

/// An ONNX model as it was read: decoded and within its bounds, not yet checked. `check()` says what it holds and what would be
/// refused, `GraphProgram` runs it, `GraphNetwork` trains it.
package struct GraphModel: Sendable {
    package let proto: ModelProto
    package let limits: GraphLimits

    /// First and last version of the default operator set that Hidra knows.
    static let operatorSets = 13...28

    /// - Throws: `GraphError` when the bytes are no ONNX model, or pass a bound.
    package init(data: Data, limits: GraphLimits = .default) throws {
        guard data.count <= limits.fileBytes else {
            throw GraphError(.tooLarge, "the model has \(data.count) bytes; at most \(limits.fileBytes) are allowed")
        }
        guard !data.isEmpty else { throw GraphError(.malformed, "the model is empty") }
        _ = try WireScan(data, limits: limits)
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = 6 * limits.depth
        do {
            proto = try ModelProto(serializedBytes: data, options: options)
        } catch {
            throw GraphError(.malformed, "not an ONNX model, or a damaged one: \(error)")
        }
        self.limits = limits
        guard proto.hasGraph else { throw GraphError(.malformed, "the model has no graph") }
    }

    /// A model made in memory.
    package init(_ proto: ModelProto, limits: GraphLimits = .default) {
        self.proto = proto
        self.limits = limits
    }

    /// A model with further `metadata_props`.
    ///
    /// - Throws: when `model` is none.
    package static func stating(_ metadata: [String: String], in model: Data) throws -> Data {
        var proto = try ModelProto(serializedBytes: model)
        proto.metadataProps.removeAll { metadata[$0.key] != nil }
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            var entry = StringStringEntryProto()
            (entry.key, entry.value) = (key, value)
            proto.metadataProps.append(entry)
        }
        return try proto.serializedData()
    }

    package func serialized() throws -> Data { try proto.serializedData() }

    /// Element types that the graph's inputs are declared with, by name.
    package var inputTypes: [String: ElementType] {
        Dictionary(
            proto.graph.input.compactMap { port in
                ElementType(code: Int(port.type.tensorType.elemType)).map { (port.name, $0) }
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Values of `metadata_props` by key.
    package var metadata: [String: String] {
        Dictionary(proto.metadataProps.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }
}
