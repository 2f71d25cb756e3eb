import HidraProtocol
import Workbench

extension WorkRequests {
    func predict(_ request: Hidra_V1_PredictRequest) async throws -> Answer {
        let start = ContinuousClock.now
        try check(request.texts)
        let predictions = try await workbench.predict(heads: request.heads, texts: request.texts, top: Int(request.top))
        var reply = Hidra_V1_PredictReply()
        reply.texts = predictions.texts.indices.map { row in
            var text = Hidra_V1_TextPrediction()
            text.heads = predictions.texts[row].map(Hidra_V1_HeadPrediction.init)
            text.truncated = predictions.truncated[row]
            text.tokens = UInt32(clamping: predictions.tokens[row])
            return text
        }
        reply.encoded = UInt64(predictions.encoded)
        reply.cached = UInt64(predictions.cached)
        reply.truncated = UInt64(predictions.truncated.count { $0 })
        reply.seconds = (ContinuousClock.now - start) / .seconds(1)
        return Answer(.predictReply(reply))
    }

    func embed(_ request: Hidra_V1_EmbedRequest) async throws -> Answer {
        let start = ContinuousClock.now
        try check(request.texts)
        let features = try await workbench.embed(
            encoder: request.encoder, texts: request.texts, tap: request.hasTap ? Int(request.tap) : nil)
        var reply = Hidra_V1_EmbedReply()
        reply.truncated = UInt64(features.truncatedRows)
        reply.cached = UInt64(features.hits)
        reply.seconds = (ContinuousClock.now - start) / .seconds(1)
        var frame = Hidra_V1_TensorFrame()
        frame.name = "embeddings"
        frame.type = .float32
        frame.shape = [UInt64(features.rows), UInt64(features.width)]
        let bytes = features.values.withUnsafeBytes { Array($0) }
        return Answer(.embedReply(reply), tensors: [(frame, bytes)])
    }

    private func check(_ texts: [String]) throws {
        guard texts.count <= limits.textsPerRequest else {
            throw Failure(
                .limitExceeded, "\(texts.count) texts in one request; at most \(limits.textsPerRequest) are taken. Send several requests.",
                details: ["limit": String(limits.textsPerRequest)])
        }
    }
}
