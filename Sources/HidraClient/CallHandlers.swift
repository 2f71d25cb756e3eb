internal import Dispatch
public import HidraProtocol

/// What a program does in the daemon's place: a loss, metrics, what happens to inputs before and to outputs after a head.
///
///     var calls = CallHandlers()
///     calls.loss = { batch in
///         let (loss, gradients) = myLoss(batch.outputs, batch.targets)
///         return CallLoss(loss, gradients: gradients)
///     }
///     try await client.train(request, calls: calls)
///
/// Handlers run one at a time on a thread of their own. What one throws ends the request, with its description.
public struct CallHandlers: Sendable {
    /// The mean loss of a batch, and its gradients by the outputs.
    public var loss: (@Sendable (CallBatch) throws -> CallLoss)?
    /// Named numbers of the validation rows, or of the test rows (`step` 0). The first decides which epoch's weights stay.
    public var metrics: (@Sendable (CallBatch) throws -> [(name: String, value: Double)])?
    /// Columns of texts as the head is to read them: as many, of as many values.
    public var preprocess: (@Sendable (_ columns: [[String]]) throws -> [[String]])?
    /// One prediction for each row of the outputs; by a head that labels words one for each text.
    public var postprocess: (@Sendable (CallBatch) throws -> [Hidra_V1_HeadPrediction])?

    public init() {}

    var kinds: [Hidra_V1_CallKind] {
        var kinds: [Hidra_V1_CallKind] = []
        if loss != nil { kinds.append(.loss) }
        if metrics != nil { kinds.append(.metrics) }
        if preprocess != nil { kinds.append(.preprocess) }
        if postprocess != nil { kinds.append(.postprocess) }
        return kinds
    }

    /// Answers the calls of a request, in their order.
    func answering(_ connection: Connection, _ limits: Limits) -> @Sendable (WireMessage) -> Void {
        let queue = DispatchQueue(label: "hidra.calls", qos: .userInitiated)
        return { message in
            queue.async {
                guard case .call(let call) = message.envelope.kind else { return }
                var result = Hidra_V1_CallResult(), tensors: [(Hidra_V1_TensorFrame, [UInt8])] = []
                result.requestID = message.envelope.requestID
                result.call = call.call
                do { try answer(call, message, &result, &tensors) } catch { result.problem = "\(error)" }
                do throws(HidraError) {
                    try connection.post(.callResult(result), tensors: tensors, on: .work, limit: limits.messageBytes)
                } catch {
                    // Too large to send: that much fits.
                    var failure = Hidra_V1_CallResult()
                    failure.requestID = result.requestID
                    failure.call = result.call
                    failure.problem = error.message
                    do {
                        try connection.post(.callResult(failure), tensors: [], on: .work, limit: limits.messageBytes)
                    } catch {
                        preconditionFailure("a message of one sentence cannot be sent: \(error)")
                    }
                }
            }
        }
    }

    private func answer(
        _ call: Hidra_V1_Call, _ message: WireMessage, _ result: inout Hidra_V1_CallResult,
        _ tensors: inout [(Hidra_V1_TensorFrame, [UInt8])]
    ) throws {
        let missing = HidraError(.unsupported, "This program does not answer calls of kind \(call.kind).")
        switch call.kind {
        case .loss:
            guard let loss else { throw missing }
            let batch = try CallBatch(call, message), answer = try loss(batch)
            result.loss = answer.loss
            var frame = Hidra_V1_TensorFrame()
            frame.name = "gradients"
            frame.type = .float32
            frame.shape = [UInt64(batch.rows), UInt64(batch.width)]
            tensors = [(frame, answer.gradients.withUnsafeBytes { Array($0) })]
        case .metrics:
            guard let metrics else { throw missing }
            result.metrics = try metrics(CallBatch(call, message)).map { name, value in
                var metric = Hidra_V1_Metric()
                (metric.name, metric.value) = (name, value)
                return metric
            }
        case .preprocess:
            guard let preprocess else { throw missing }
            let columns = try preprocess(call.columns.map(\.values))
            result.columns = zip(call.columns, columns).map { original, values in
                var column = Hidra_V1_Column()
                (column.name, column.values) = (original.name, values)
                return column
            }
        case .postprocess:
            guard let postprocess else { throw missing }
            result.predictions = try postprocess(CallBatch(call, message))
        case .unspecified, .UNRECOGNIZED: throw missing
        }
    }
}

/// Outputs of a head and what they should have been.
public struct CallBatch: Sendable {
    public let head: String
    /// Of a loss: optimiser steps before this one. Of metrics: epochs, 0 for the test rows.
    public let step: UInt64
    /// Names of the outputs; empty but in the first call of a kind.
    public let labels: [String]
    /// Row-major `[rows, width]`, before any softmax or sigmoid.
    public let outputs: [Float]
    public let rows: Int, width: Int
    /// Of each row its class (of a word its label), counted from 0; empty for other tasks.
    public let classes: [Int32]
    /// Row-major: of multilabel heads 0 or 1 for each output; of regression heads numbers as they are learnt.
    public let values: [Float]
    /// Of a head that labels words, whose outputs have a row for each word, texts laid end to end: the words of each text.
    public let lengths: [Int]
    /// The same head's texts, where pieces are to be found in them (`postprocess`).
    public let texts: [String]

    init(_ call: Hidra_V1_Call, _ message: WireMessage) throws {
        (head, step, labels) = (call.head, call.step, call.labels)
        texts = call.kind == .postprocess ? call.columns.first?.values ?? [] : []
        var outputs: [Float]?, shape: [UInt64] = [], classes: [Int32] = [], values: [Float] = [], lengths: [Int] = []
        for (frame, bytes) in zip(message.envelope.tensors, message.tensors) {
            switch (frame.name, frame.type) {
            case ("outputs", .float32): (outputs, shape) = (HidraClient.floats(bytes), frame.shape)
            case ("targets", .int32): classes = Self.integers(bytes)
            case ("lengths", .int32): lengths = Self.integers(bytes).map(Int.init)
            case ("targets", .float32): values = HidraClient.floats(bytes)
            default: break
            }
        }
        guard let outputs, shape.count == 2, classes.isEmpty || UInt64(classes.count) == shape[0],
            values.isEmpty || values.count == outputs.count, call.task != .tag || lengths.reduce(0, +) == Int(clamping: shape[0])
        else {
            throw HidraError(.internalError, "hidrad sent a call without outputs. Are both of one version?")
        }
        self.outputs = outputs
        (rows, width) = (Int(clamping: shape[0]), Int(clamping: shape[1]))
        (self.classes, self.values, self.lengths) = (classes, values, lengths)
    }

    private static func integers(_ bytes: [UInt8]) -> [Int32] {
        bytes.withUnsafeBytes { raw in
            (0..<raw.count / 4).map { Int32(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self)) }
        }
    }
}

/// The mean loss of a batch, and its gradients by the outputs, row-major.
public struct CallLoss: Sendable {
    public let loss: Double
    public let gradients: [Float]

    public init(_ loss: Double, gradients: [Float]) {
        self.loss = loss
        self.gradients = gradients
    }
}

extension HidraClient {
    /// Answers for heads that were trained with `preprocess` or `postprocess`, until the task is cancelled or the connection ends.
    public func serve(_ heads: [String], losses: [String] = [], calls: CallHandlers) async throws {
        var request = Hidra_V1_ServeRequest()
        request.heads = heads
        request.losses = losses
        _ = try await ask(.serve(request), on: .work, call: calls.answering(connection, limits)) {
            if case .serveReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }
}
