public import Foundation
public import HidraProtocol

/// A tensor of an ONNX graph, as it travels.
public struct GraphTensor: Sendable {
    public let name: String
    public let type: Hidra_V1_DataType
    public let shape: [Int]
    /// Little-endian, row-major.
    public let bytes: [UInt8]

    public init(name: String, type: Hidra_V1_DataType, shape: [Int], bytes: [UInt8]) {
        self.name = name
        self.type = type
        self.shape = shape
        self.bytes = bytes
    }

    var frame: Hidra_V1_TensorFrame {
        var frame = Hidra_V1_TensorFrame()
        frame.name = name
        frame.type = type
        frame.shape = shape.map { UInt64(clamping: $0) }
        return frame
    }
}

extension HidraClient {
    /// What the daemon would make of an ONNX model. A model that would be refused is no error: see the reply's problems.
    ///
    /// - Parameters:
    ///   - batch: extent of symbolic first axes for the memory estimate.
    ///   - sizes: extents of other symbols, by name; 32 where none is given.
    public func checkGraph(
        _ model: Data, batch: UInt64 = 1, sizes: [String: UInt64] = [:]
    ) async throws -> Hidra_V1_CheckGraphReply {
        var request = Hidra_V1_CheckGraphRequest()
        request.model = model
        request.batch = batch
        request.sizes = sizes
        return try await ask(.checkGraph(request), on: .work) {
            if case .checkGraphReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Runs an ONNX model once.
    ///
    /// - Returns: the model's outputs, in its order.
    public func runGraph(
        _ model: Data, inputs: [GraphTensor]
    ) async throws -> (outputs: [GraphTensor], reply: Hidra_V1_RunGraphReply) {
        var request = Hidra_V1_RunGraphRequest()
        request.model = model
        return try await ask(
            .runGraph(request), tensors: inputs.map { ($0.frame, $0.bytes) }, on: .work
        ) { message in
            guard case .runGraphReply(let reply) = message.envelope.kind else { return nil }
            let outputs = zip(message.envelope.tensors, message.tensors).map { frame, bytes in
                GraphTensor(
                    name: frame.name, type: frame.type, shape: frame.shape.map { Int(clamping: $0) }, bytes: bytes)
            }
            return (outputs, reply)
        }
    }
}
