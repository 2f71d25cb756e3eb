public import Foundation
public import HidraProtocol

extension HidraClient {
    /// Trains a head on rows uploaded before.
    ///
    /// - Parameters:
    ///   - progress: called on the client's thread; must not block.
    ///   - calls: what this program does in the daemon's place; `request.calls` follows from it.
    public func train(
        _ request: Hidra_V1_TrainRequest, calls: CallHandlers? = nil,
        progress: @escaping @Sendable (Hidra_V1_Progress) -> Void = { _ in }
    ) async throws -> Hidra_V1_TrainReply {
        var request = request
        if let calls { request.calls = calls.kinds }
        return try await ask(.train(request), on: .work, progress: progress, call: calls?.answering(connection, limits)) {
            if case .trainReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Measures a head on rows uploaded before.
    ///
    /// - Parameter progress: called on the client's thread; must not block.
    public func evaluate(
        _ request: Hidra_V1_EvaluateRequest, progress: @escaping @Sendable (Hidra_V1_Progress) -> Void = { _ in }
    ) async throws -> Hidra_V1_EvaluateReply {
        try await ask(.evaluate(request), on: .work, progress: progress) {
            if case .evaluateReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Compares an encoder in int8 with itself in fp32 on rows uploaded before, or sets what it computes in, or both.
    ///
    /// - Parameter progress: called on the client's thread; must not block.
    public func quantize(
        _ request: Hidra_V1_QuantizeRequest, progress: @escaping @Sendable (Hidra_V1_Progress) -> Void = { _ in }
    ) async throws -> Hidra_V1_QuantizeReply {
        try await ask(.quantize(request), on: .work, progress: progress) {
            if case .quantizeReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Answers inputs with several heads, in one encoder pass for each encoder.
    ///
    /// One request: at most `limits.textsPerRequest` inputs.
    ///
    /// - Parameters:
    ///   - top: labels for each input, best first; 0: one, or for multilabel heads all above the threshold.
    ///   - precision: what the encoders compute in, "fp32" or "int8"; empty: as they are set.
    public func predict(
        heads: [String], _ inputs: Inputs, top: Int = 0, precision: String = ""
    ) async throws -> Hidra_V1_PredictReply {
        try check(inputs)
        let request = try Hidra_V1_PredictRequest(heads, inputs, top, precision)
        return try await ask(.predict(request), on: .work) {
            if case .predictReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Answers rows of several texts, with heads that read as many columns.
    ///
    /// One request: at most `limits.textsPerRequest` rows.
    ///
    /// - Parameters:
    ///   - columns: all of one length, in the order of the heads' columns (those of `Hidra_V1_Head.inputs`, each once).
    ///   - top, precision: as above.
    public func predict(
        heads: [String], columns: [[String]], top: Int = 0, precision: String = ""
    ) async throws -> Hidra_V1_PredictReply {
        try check(.texts(columns.first ?? []))
        let request = try Hidra_V1_PredictRequest(heads, columns: columns, top, precision)
        return try await ask(.predict(request), on: .work) {
            if case .predictReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Vectors of inputs, `values` row-major `[rows, width]`; NaN in rows that `reply.problems` names.
    ///
    /// One request: at most `limits.textsPerRequest` inputs.
    ///
    /// - Parameters:
    ///   - tap: name of the tap to read, "0" for a text encoder's token embeddings; empty: the top.
    ///   - precision: what the encoder computes in, "fp32" or "int8"; empty: as it is set.
    public func embed(
        encoder: String, _ inputs: Inputs, tap: String = "", precision: String = ""
    ) async throws -> (values: [Float], rows: Int, width: Int, reply: Hidra_V1_EmbedReply) {
        try check(inputs)
        var request = Hidra_V1_EmbedRequest()
        request.encoder = encoder
        switch inputs {
        case .texts(let texts): request.texts = texts
        case .images(let images): request.images = images
        }
        request.tap = tap
        request.precision = precision
        return try await ask(.embed(request), on: .work) { message in
            guard case .embedReply(let reply) = message.envelope.kind, let tensor = message.envelope.tensors.first,
                let bytes = message.tensors.first, tensor.type == .float32, tensor.shape.count == 2,
                tensor.shape[0] == UInt64(inputs.count), let width = Int(exactly: tensor.shape[1])
            else { return nil }
            return (Self.floats(bytes), inputs.count, width, reply)
        }
    }

    private func check(_ inputs: Inputs) throws(HidraError) {
        guard inputs.count <= limits.textsPerRequest else {
            throw HidraError(
                .limitExceeded,
                "\(inputs.count) inputs in one request; hidrad takes \(limits.textsPerRequest). Send them in parts.")
        }
    }

    /// A trained head as an ONNX model.
    public func export(head: String) async throws -> Data {
        var request = Hidra_V1_ExportRequest()
        request.head = head
        return try await ask(.export(request), on: .work) {
            if case .exportReply(let reply) = $0.envelope.kind { reply.model } else { nil }
        }
    }

    /// Little-endian, as tensors travel.
    static func floats(_ bytes: [UInt8]) -> [Float] {
        bytes.withUnsafeBytes { raw in
            (0..<raw.count / 4).map { index in
                let pattern = raw.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
                return Float(bitPattern: UInt32(littleEndian: pattern))
            }
        }
    }
}

/// Inputs of one request, all of one modality.
public enum Inputs: Sendable {
    case texts([String])
    /// Encoded images: JPEG, PNG or WebP files as they are.
    case images([Data])

    public var count: Int {
        switch self {
        case .texts(let texts): texts.count
        case .images(let images): images.count
        }
    }
}
