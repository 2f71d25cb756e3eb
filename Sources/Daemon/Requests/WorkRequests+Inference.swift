import Encoders
import Foundation
import HidraProtocol
import Scheduling
import State
import Workbench

extension WorkRequests {
    func predict(_ request: Hidra_V1_PredictRequest) async throws -> Answer {
        let start = ContinuousClock.now
        let columns = try columns(request)
        let predictions = try await workbench.predict(
            heads: request.heads, columns: columns, top: Int(request.top), precision: Precision(wire: request.precision))
        return Answer(.predictReply(Hidra_V1_PredictReply(predictions, since: start)))
    }

    /// Rows whose answers are sent together.
    private static let streamRows = 64

    /// Answers as they are computed, by `send`; returns the totals. Memory is bounded by the request and one piece. Between two pieces, and
    /// between the units of one, others are served and a cancellation is heard.
    func predictStream(
        _ request: Hidra_V1_PredictRequest, _ job: JobHandle, send: (Hidra_V1_PredictReply) -> Void
    ) async throws -> Answer {
        let start = ContinuousClock.now
        let columns = try columns(request, most: limits.textsPerStream), rows = columns[0].count
        // Looked up once: a head that is replaced meanwhile does not change in the middle of the answers.
        let heads = try await workbench.heads(named: request.heads, columns: columns.count)
        let precision = try Precision(wire: request.precision)
        var totals = Hidra_V1_PredictReply()
        // Of no rows too: what is wrong with the request shows.
        for first in stride(from: 0, to: max(rows, 1), by: Self.streamRows) {
            try Task.checkCancellation()
            let pieceStart = ContinuousClock.now, end = min(first + Self.streamRows, rows)
            let predictions = try await workbench.predict(
                heads, columns: columns.map { Array($0[first..<end]) }, top: Int(request.top), precision: precision,
                priority: rows > Self.streamRows ? .bulk : nil)
            var piece = Hidra_V1_PredictReply(predictions, since: pieceStart)
            piece.first = UInt64(first)
            if rows > 0 { send(piece) }
            totals.encoded += piece.encoded
            totals.cached += piece.cached
            totals.truncated += piece.truncated
            job.note(JobProgress(.predicting, done: end, total: rows))
        }
        totals.seconds = (ContinuousClock.now - start) / .seconds(1)
        return Answer(.predictReply(totals))
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

    private func columns(_ request: Hidra_V1_PredictRequest, most: Int? = nil) throws -> [[EncoderInput]] {
        guard !request.columns.isEmpty else { return [try inputs(request.texts, request.images, most: most)] }
        guard request.texts.isEmpty, request.images.isEmpty else {
            throw Failure(.invalidArgument, "One request has either columns, or texts or images. Send two.")
        }
        let columns = try request.columns.map { try inputs($0.values, $0.blobs, most: most) }
        guard columns.allSatisfy({ $0.count == columns[0].count }) else {
            throw Failure(
                .invalidArgument,
                "The columns have \(columns.map { String($0.count) }.joined(separator: ", ")) values; they must be of one length.")
        }
        return columns
    }

    /// - Parameter most: inputs in the request; nil: as of one whose answers come at once.
    func inputs(_ texts: [String], _ images: [Data], most: Int? = nil) throws -> [EncoderInput] {
        guard texts.isEmpty || images.isEmpty else {
            throw Failure(.invalidArgument, "One request has either texts or images. Send two.")
        }
        let count = max(texts.count, images.count)
        let most = most ?? limits.textsPerRequest
        guard count <= most else {
            throw Failure(
                .limitExceeded, "\(count) inputs in one request; at most \(most) are taken. Send several requests.",
                details: ["limit": String(most)])
        }
        if images.isEmpty { return texts.map { .text($0) } }
        return images.enumerated().map { index, bytes in
            .image(ImageFile(name: "image \(index + 1)", digest: SHA256Digest(of: bytes).bytes) { bytes })
        }
    }
}

extension Hidra_V1_PredictReply {
    fileprivate init(_ predictions: Predictions, since start: ContinuousClock.Instant) {
        self.init()
        inputs = predictions.inputs.indices.map { row in
            var prediction = Hidra_V1_Prediction()
            prediction.heads = predictions.inputs[row].map(Hidra_V1_HeadPrediction.init)
            prediction.truncated = predictions.truncated[row]
            prediction.tokens = UInt32(clamping: predictions.tokens[row])
            prediction.problem = predictions.problems[row] ?? ""
            return prediction
        }
        encoded = UInt64(predictions.encoded)
        cached = UInt64(predictions.cached)
        truncated = UInt64(predictions.truncated.count { $0 })
        seconds = (ContinuousClock.now - start) / .seconds(1)
    }
}
