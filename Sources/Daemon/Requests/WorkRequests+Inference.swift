import Encoders
import Foundation
import HidraProtocol
import State
import Workbench

extension WorkRequests {
    func predict(_ request: Hidra_V1_PredictRequest) async throws -> Answer {
        let start = ContinuousClock.now
        let columns = try columns(request)
        let predictions = try await workbench.predict(
            heads: request.heads, columns: columns, top: Int(request.top), precision: Precision(wire: request.precision))
        var reply = Hidra_V1_PredictReply()
        reply.inputs = predictions.inputs.indices.map { row in
            var prediction = Hidra_V1_Prediction()
            prediction.heads = predictions.inputs[row].map(Hidra_V1_HeadPrediction.init)
            prediction.truncated = predictions.truncated[row]
            prediction.tokens = UInt32(clamping: predictions.tokens[row])
            prediction.problem = predictions.problems[row] ?? ""
            return prediction
        }
        reply.encoded = UInt64(predictions.encoded)
        reply.cached = UInt64(predictions.cached)
        reply.truncated = UInt64(predictions.truncated.count { $0 })
        reply.seconds = (ContinuousClock.now - start) / .seconds(1)
        return Answer(.predictReply(reply))
    }

    func embed(_ request: Hidra_V1_EmbedRequest) async throws -> Answer {
        let start = ContinuousClock.now
        let inputs = try inputs(request.texts, request.images)
        let features = try await workbench.embed(
            encoder: request.encoder, inputs: inputs, tap: request.tap, precision: Precision(wire: request.precision))
        var reply = Hidra_V1_EmbedReply()
        reply.truncated = UInt64(features.truncatedRows)
        reply.cached = UInt64(features.hits)
        reply.problems = Dictionary(uniqueKeysWithValues: features.problems.map { (UInt32(clamping: $0), $1) })
        reply.seconds = (ContinuousClock.now - start) / .seconds(1)
        var frame = Hidra_V1_TensorFrame()
        frame.name = "embeddings"
        frame.type = .float32
        frame.shape = [UInt64(features.rows), UInt64(features.width)]
        let bytes = features.values.withUnsafeBytes { Array($0) }
        return Answer(.embedReply(reply), tensors: [(frame, bytes)])
    }

    private func columns(_ request: Hidra_V1_PredictRequest) throws -> [[EncoderInput]] {
        guard !request.columns.isEmpty else { return [try inputs(request.texts, request.images)] }
        guard request.texts.isEmpty, request.images.isEmpty else {
            throw Failure(.invalidArgument, "One request has either columns, or texts or images. Send two.")
        }
        let columns = try request.columns.map { try inputs($0.values, $0.blobs) }
        guard columns.allSatisfy({ $0.count == columns[0].count }) else {
            throw Failure(
                .invalidArgument,
                "The columns have \(columns.map { String($0.count) }.joined(separator: ", ")) values; they must be of one length.")
        }
        return columns
    }

    func inputs(_ texts: [String], _ images: [Data]) throws -> [EncoderInput] {
        guard texts.isEmpty || images.isEmpty else {
            throw Failure(.invalidArgument, "One request has either texts or images. Send two.")
        }
        let count = max(texts.count, images.count)
        guard count <= limits.textsPerRequest else {
            throw Failure(
                .limitExceeded,
                "\(count) inputs in one request; at most \(limits.textsPerRequest) are taken. Send several requests.",
                details: ["limit": String(limits.textsPerRequest)])
        }
        if images.isEmpty { return texts.map { .text($0) } }
        return images.enumerated().map { index, bytes in
            .image(ImageFile(name: "image \(index + 1)", digest: SHA256Digest(of: bytes).bytes) { bytes })
        }
    }
}
