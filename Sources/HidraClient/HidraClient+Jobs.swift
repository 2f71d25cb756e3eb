public import HidraProtocol

extension HidraClient {
    /// Trains a head on rows uploaded before.
    ///
    /// - Parameter progress: called on the client's thread; must not block.
    public func train(
        _ request: Hidra_V1_TrainRequest, progress: @escaping @Sendable (Hidra_V1_Progress) -> Void = { _ in }
    ) async throws -> Hidra_V1_TrainReply {
        try await ask(.train(request), on: .work, progress: progress) {
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

    /// Answers texts with several heads, in one encoder pass for each encoder.
    ///
    /// One request: at most `limits.textsPerRequest` texts.
    ///
    /// - Parameter top: labels for each text, best first; 0: one, or for multilabel heads all above the threshold.
    public func predict(heads: [String], texts: [String], top: Int = 0) async throws -> Hidra_V1_PredictReply {
        try check(texts)
        guard let top = UInt32(exactly: top) else {
            throw HidraError(.invalidArgument, "\(top) labels cannot be asked for: use 0 or more.")
        }
        var request = Hidra_V1_PredictRequest()
        request.heads = heads
        request.texts = texts
        request.top = top
        return try await ask(.predict(request), on: .work) {
            if case .predictReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Vectors of texts, `values` row-major `[rows, width]`.
    ///
    /// One request: at most `limits.textsPerRequest` texts.
    ///
    /// - Parameter tap: layer to read, 0 for the token embeddings; nil: the top.
    public func embed(
        encoder: String, texts: [String], tap: Int? = nil
    ) async throws -> (values: [Float], rows: Int, width: Int, reply: Hidra_V1_EmbedReply) {
        try check(texts)
        var request = Hidra_V1_EmbedRequest()
        request.encoder = encoder
        request.texts = texts
        if let tap {
            guard let layer = UInt32(exactly: tap) else {
                throw HidraError(.invalidArgument, "There is no layer \(tap): count from 0.")
            }
            request.tap = layer
        }
        return try await ask(.embed(request), on: .work) { message in
            guard case .embedReply(let reply) = message.envelope.kind, let tensor = message.envelope.tensors.first,
                let bytes = message.tensors.first, tensor.type == .float32, tensor.shape.count == 2,
                tensor.shape[0] == UInt64(texts.count), let width = Int(exactly: tensor.shape[1])
            else { return nil }
            return (Self.floats(bytes), texts.count, width, reply)
        }
    }

    private func check(_ texts: [String]) throws(HidraError) {
        guard texts.count <= limits.textsPerRequest else {
            throw HidraError(
                .limitExceeded,
                "\(texts.count) texts in one request; hidrad takes \(limits.textsPerRequest). Send them in parts.")
        }
    }

    /// Little-endian, as tensors travel.
    private static func floats(_ bytes: [UInt8]) -> [Float] {
        bytes.withUnsafeBytes { raw in
            (0..<raw.count / 4).map { index in
                let pattern = raw.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
                return Float(bitPattern: UInt32(littleEndian: pattern))
            }
        }
    }
}
