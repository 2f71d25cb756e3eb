import Foundation

/// Counts what a serialised model holds without decoding it: a file of a few megabytes can announce millions of empty nodes, which
/// would take a hundred times its size once decoded.
struct WireScan {
    private enum Message {
        case model, graph, function, node, attribute, leaf

        func child(_ field: Int) -> Message? {
            switch (self, field) {
            case (.model, 7), (.attribute, 6), (.attribute, 11): .graph
            case (.model, 25): .function
            case (.graph, 1), (.function, 7): .node
            case (.node, 5), (.function, 11): .attribute
            case (.leaf, _): nil
            default: .leaf
            }
        }
    }

    private(set) var nodes = 0
    private var fields = 0
    private let limits: GraphLimits

    init(_ data: Data, limits: GraphLimits) throws {
        self.limits = limits
        try data.withUnsafeBytes { bytes in try scan(.model, bytes, graphs: 0) }
    }

    private mutating func scan(_ message: Message, _ bytes: UnsafeRawBufferPointer, graphs: Int) throws {
        guard graphs <= limits.depth else {
            throw GraphError(.tooLarge, "graphs lie more than \(limits.depth) deep in each other; flatten the model")
        }
        var position = 0
        while position < bytes.count {
            let tag = try varint(bytes, &position)
            switch tag & 7 {
            case 0: _ = try varint(bytes, &position)
            case 1: position += 8
            case 5: position += 4
            case 2:
                let length = try varint(bytes, &position)
                guard length <= UInt64(bytes.count - position) else { throw truncated }
                let end = position + Int(length)
                fields += 1
                guard fields <= limits.fields else {
                    throw GraphError(.tooLarge, "the model has more than \(limits.fields) names, values and attributes")
                }
                if let child = message.child(Int(truncatingIfNeeded: tag >> 3)), child != .leaf {
                    if child == .node { nodes += 1 }
                    guard nodes <= limits.nodes else {
                        throw GraphError(.tooLarge, "the model has more than \(limits.nodes) nodes")
                    }
                    try scan(
                        child, UnsafeRawBufferPointer(rebasing: bytes[position..<end]),
                        graphs: graphs + (child == .graph ? 1 : 0)
                    )
                }
                position = end
            default: throw GraphError(.malformed, "not an ONNX model: its bytes are not a protobuf message")
            }
            guard position <= bytes.count else { throw truncated }
        }
    }

    private func varint(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard position < bytes.count else { throw truncated }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw GraphError(.malformed, "not an ONNX model: a number in it never ends")
    }

    private var truncated: GraphError {
        GraphError(.malformed, "the model ends in the middle of a field: the file is truncated or not an ONNX model")
    }
}
