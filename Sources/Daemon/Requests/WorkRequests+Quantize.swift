import Encoders
import HidraProtocol
import State
import Workbench

extension WorkRequests {
    /// The rows to compare on; none when no comparison is asked for. Taken when the request arrives.
    func inputs(of request: Hidra_V1_QuantizeRequest, _ client: ClientIdentity) throws -> [EncoderInput] {
        if request.data.isEmpty { return [] }
        switch try data.table(request.data, client: client).column(request.inputColumn) {
        case .texts(let texts): return texts.map { .text($0) }
        case .blobs(let blobs):
            return blobs.enumerated().map { row, blob in
                .image(ImageFile(name: "row \(row + 1)", digest: blob.digest) { try blob.read() })
            }
        }
    }

    func quantize(_ request: Hidra_V1_QuantizeRequest, _ inputs: [EncoderInput], _ job: JobHandle) async throws -> Answer {
        let precision = try Precision(wire: request.precision)
        guard precision != nil || !request.data.isEmpty else {
            throw Failure(.invalidArgument, "Say what the encoder shall compute in, or give rows to compare on.")
        }
        var reply = Hidra_V1_QuantizeReply()
        if !request.data.isEmpty {
            reply.add(try await workbench.comparePrecisions(encoder: request.encoder, inputs: inputs) { job.report($0) })
        }
        if let precision {
            let record = try await workbench.setPrecision(precision, ofEncoder: request.encoder)
            events.record("encoder.precision", record.name, ["precision": record.precision.rawValue])
            reply.encoder = Hidra_V1_Encoder(record)
        } else {
            reply.encoder = Hidra_V1_Encoder(try await workbench.registry.encoder(named: request.encoder))
        }
        return Answer(.quantizeReply(reply))
    }
}

extension Hidra_V1_QuantizeReply {
    fileprivate mutating func add(_ comparison: PrecisionComparison) {
        rows = UInt64(comparison.cosines.count)
        mean = comparison.mean
        minimum = comparison.quantile(0)
        for share in [0.01, 0.1, 0.5] { quantiles[String(share)] = comparison.quantile(share) }
        worst = comparison.worst(5).map { row, cosine in
            var message = Hidra_V1_RowCosine()
            message.row = UInt64(row)
            message.cosine = cosine
            return message
        }
        fp32Bytes = UInt64(comparison.fp32Bytes)
        int8Bytes = UInt64(comparison.int8Bytes)
    }
}

extension Precision {
    /// As it stands in a request; nil for an empty one: as the encoder is set.
    init?(wire name: String) throws {
        if name.isEmpty { return nil }
        guard let precision = Precision(rawValue: name) else {
            throw Failure(
                .invalidArgument,
                "There is no precision '\(name)'; there are \(Precision.allCases.map(\.rawValue).joined(separator: " and ")).")
        }
        self = precision
    }
}
