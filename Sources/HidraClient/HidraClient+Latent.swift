public import HidraProtocol

/// What `latent` brings: the reply, and codes `[rows, width]` row-major where there are any.
public struct LatentAnswer: Sendable {
    public let reply: Hidra_V1_LatentReply
    public let codes: [Float]
    public let rows: Int
    public let width: Int
}

extension HidraClient {
    /// Trains an encoder without labels on images uploaded before.
    ///
    /// - Parameter progress: called on the client's thread; must not block.
    public func pretrain(
        _ request: Hidra_V1_PretrainRequest, progress: @escaping @Sendable (Hidra_V1_Progress) -> Void = { _ in }
    ) async throws -> Hidra_V1_PretrainReply {
        try await ask(.pretrain(request), on: .work, progress: progress) {
            if case .pretrainReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Works in the latent space of an encoder that was trained here.
    ///
    /// - Parameter codes: in the place of images: row-major, of `width` numbers each.
    public func latent(_ request: Hidra_V1_LatentRequest, codes: [Float] = [], width: Int = 0) async throws -> LatentAnswer {
        var tensors: [(Hidra_V1_TensorFrame, [UInt8])] = []
        if width > 0 {
            var frame = Hidra_V1_TensorFrame()
            frame.name = "codes"
            frame.type = .float32
            frame.shape = [UInt64(codes.count / width), UInt64(width)]
            tensors = [(frame, codes.withUnsafeBytes { Array($0) })]
        }
        return try await ask(.latent(request), tensors: tensors, on: .work) { message in
            guard case .latentReply(let reply) = message.envelope.kind else { return nil }
            guard let frame = message.envelope.tensors.first, let bytes = message.tensors.first, frame.shape.count == 2 else {
                return LatentAnswer(reply: reply, codes: [], rows: 0, width: 0)
            }
            let values = bytes.withUnsafeBytes { raw in
                (0..<bytes.count / 4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
            }
            return LatentAnswer(reply: reply, codes: values, rows: Int(clamping: frame.shape[0]), width: Int(clamping: frame.shape[1]))
        }
    }
}
