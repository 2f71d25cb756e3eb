import Encoders
import Foundation
import Heads
import HidraProtocol
import State
import Training
import Workbench

/// A client that is asked through the replies to one of its requests.
struct ClientCallee: Callee {
    let stream: CallTable.Stream
    let calls: CallTable
    let limit: Duration
    let send: @Sendable (Hidra_V1_Envelope, [[UInt8]]) -> Void

    func call(_ question: CallQuestion, completion: @escaping @Sendable (Result<CallAnswer, any Error>) -> Void) {
        var call = Hidra_V1_Call()
        call.kind = Hidra_V1_CallKind(question.kind)
        call.head = question.head
        call.task = Hidra_V1_Task(question.task)
        call.step = UInt64(question.step)
        call.deadlineMilliseconds = UInt32(clamping: Int64(limit / .milliseconds(1)))
        call.labels = question.labels
        var tensors: [(frame: Hidra_V1_TensorFrame, bytes: [UInt8])] = []
        do {
            call.columns = try question.columns.map(Hidra_V1_Column.init)
        } catch {
            return completion(.failure(error))
        }
        if question.kind != .preprocess {
            tensors.append(Hidra_V1_TensorFrame.float32("outputs", [question.rows, question.width], question.outputs))
        }
        if let targets = question.targets { tensors.append(targets.frame) }
        if let lengths = question.lengths { tensors.append(Hidra_V1_TensorFrame.int32("lengths", lengths.map { Int32($0) })) }
        let kind = question.kind
        call.call = calls.open(stream, within: limit) { reply in
            completion(Result { try CallAnswer(reply.get(), kind) })
        }
        var envelope = Hidra_V1_Envelope.partial(to: stream.request, .call(call))
        envelope.tensors = tensors.map(\.frame)
        send(envelope, tensors.map(\.bytes))
    }
}

extension CallAnswer {
    fileprivate init(_ reply: CallTable.Reply, _ kind: CallKind) throws {
        self.init()
        let result = reply.result
        guard result.problem.isEmpty else {
            throw Failure(.invalidData, "The client that was asked says: \(result.problem.prefix(2000))")
        }
        loss = result.loss
        if kind == .loss { gradients = try [Float].tensor("gradients", reply.frames, reply.tensors).values }
        metrics = result.metrics.map { ($0.name, $0.value) }
        columns = result.columns.map { column in
            column.blobs.isEmpty
                ? column.values.map { .text($0) }
                : column.blobs.enumerated().map { row, bytes in
                    .image(ImageFile(name: "row \(row + 1)", digest: SHA256Digest(of: bytes).bytes) { bytes })
                }
        }
        predictions = result.predictions.map { prediction -> HeadPrediction in
            if !prediction.spans.isEmpty {
                return .spans(
                    prediction.spans.map {
                        TextSpan(label: $0.label, range: Int($0.start)..<max(Int($0.start), Int($0.end)), score: $0.score)
                    })
            }
            return prediction.hasValue
                ? .value(prediction.value) : .labels(prediction.labels.map { LabelScore(label: $0.label, score: $0.score) })
        }
    }
}

extension Hidra_V1_Column {
    fileprivate init(_ column: (name: String, inputs: [EncoderInput])) throws {
        self.init()
        name = column.name
        for input in column.inputs {
            switch input {
            case .text(let text): values.append(text)
            case .image(let file): blobs.append(try file.read())
            }
        }
    }
}

extension Targets {
    fileprivate var frame: (frame: Hidra_V1_TensorFrame, bytes: [UInt8]) {
        switch self {
        case .classes(let classes): return Hidra_V1_TensorFrame.int32("targets", classes)
        case .labels(let flags, let count):
            return Hidra_V1_TensorFrame.float32("targets", [rows, count], flags)
        case .values(let values): return Hidra_V1_TensorFrame.float32("targets", [values.count, 1], values)
        case .tags(let tags): return Hidra_V1_TensorFrame.int32("targets", tags.flatMap { $0 })
        }
    }
}

extension Hidra_V1_CallKind {
    init(_ kind: CallKind) {
        switch kind {
        case .preprocess: self = .preprocess
        case .loss: self = .loss
        case .metrics: self = .metrics
        case .postprocess: self = .postprocess
        }
    }
}

extension CallKind {
    /// - Throws: `unsupported` for a kind this daemon does not know.
    init(_ kind: Hidra_V1_CallKind) throws {
        switch kind {
        case .preprocess: self = .preprocess
        case .loss: self = .loss
        case .metrics: self = .metrics
        case .postprocess: self = .postprocess
        case .unspecified, .UNRECOGNIZED:
            throw Failure(
                .unsupported, "Calls of kind \(kind.rawValue) are not known to this daemon; it knows PREPROCESS, LOSS, METRICS and POSTPROCESS.")
        }
    }
}
