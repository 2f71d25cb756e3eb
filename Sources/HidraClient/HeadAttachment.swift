public import Foundation
public import HidraProtocol
internal import Synchronization

/// A head that this program trains step by step, with a loop, and if it likes a loss, of its own.
///
///     let head = try await client.attach(request)
///     for rows in batches {
///         let outputs = try await head.forward(.rows(rows, of: "train", input: "text"))
///         let (loss, gradients) = myLoss(outputs)
///         try await head.backward(gradients, step: true)
///     }
///     let reply = try await head.detach(keep: true)
///
/// Use it for one thing at a time: its verbs are numbered in the order of the calls, and the daemon applies each number once.
/// When the connection is lost, connect again and `attach(run:)`: the head is as after the last step that was written down.
public final class HeadAttachment: Sendable {
    public let client: HidraClient
    public let reply: Hidra_V1_AttachReply
    private let sequence: Mutex<UInt64>

    init(_ client: HidraClient, _ reply: Hidra_V1_AttachReply) {
        self.client = client
        self.reply = reply
        sequence = Mutex(reply.sequence)
    }

    /// Names the attachment, also after the connection is lost.
    public var run: String { reply.run }
    /// The last number that was applied.
    public var applied: UInt64 { sequence.withLock { $0 } }

    /// Numbers a verb. One that the daemon refuses, which has changed nothing, gives its number back.
    private func numbered<Reply>(_ body: (UInt64) async throws -> Reply) async throws -> Reply {
        let number = sequence.withLock { $0 + 1 }
        let reply = try await body(number)
        sequence.withLock { $0 = number }
        return reply
    }

    /// Outputs of a batch, row-major `[rows, outputs]`, before any softmax or sigmoid.
    ///
    /// - Parameter keep: as in training, for a `backward` that follows; otherwise as in a prediction, without dropout.
    public func forward(_ batch: Hidra_V1_Batch, keep: Bool = true) async throws -> HeadOutputs {
        func ask(_ number: UInt64) async throws -> HeadOutputs {
            var request = Hidra_V1_ForwardRequest()
            request.run = run
            request.batch = batch
            request.sequence = number
            return try await client.ask(.forward(request), on: .work) { message in
                guard case .forwardReply(let reply) = message.envelope.kind else { return nil }
                return HeadOutputs(message, truncated: reply.truncated)
            }
        }
        return keep ? try await numbered(ask) : try await ask(0)
    }

    /// Adds the gradients of the attachment's own loss on a batch, times `scale`. Returns the mean loss.
    @discardableResult
    public func forwardBackward(_ batch: Hidra_V1_Batch, scale: Double = 1) async throws -> Double {
        try await numbered { number in
            var request = Hidra_V1_ForwardBackwardRequest()
            request.run = run
            request.batch = batch
            request.sequence = number
            request.scale = scale
            return try await client.ask(.forwardBackward(request), on: .work) {
                if case .forwardBackwardReply(let reply) = $0.envelope.kind { reply.loss } else { nil }
            }
        }
    }

    /// Adds what gradients of the last `forward`'s outputs make of the weights.
    ///
    /// - Parameters:
    ///   - gradients: row-major, as many as the outputs.
    ///   - step: step at once: one round trip less.
    @discardableResult
    public func backward(
        _ gradients: [Float], step: Bool = false, learningRate: Double = 0
    ) async throws -> Hidra_V1_BackwardReply {
        try await numbered { number in
            var request = Hidra_V1_BackwardRequest()
            request.run = run
            request.sequence = number
            request.step = step
            request.learningRate = learningRate
            let outputs = max(1, Int(reply.outputs))
            var frame = Hidra_V1_TensorFrame()
            frame.name = "gradients"
            frame.type = .float32
            frame.shape = [UInt64(gradients.count / outputs), UInt64(outputs)]
            return try await client.ask(.backward(request), tensors: [(frame, gradients.withUnsafeBytes { Array($0) })], on: .work) {
                if case .backwardReply(let reply) = $0.envelope.kind { reply } else { nil }
            }
        }
    }

    /// Changes the weights by the gradients.
    ///
    /// - Parameter learningRate: 0: the attachment's.
    @discardableResult
    public func step(learningRate: Double = 0) async throws -> Hidra_V1_OptimStepReply {
        try await numbered { number in
            var request = Hidra_V1_OptimStepRequest()
            request.run = run
            request.sequence = number
            request.learningRate = learningRate
            return try await client.ask(.optimStep(request), on: .work) {
                if case .optimStepReply(let reply) = $0.envelope.kind { reply } else { nil }
            }
        }
    }

    /// Weights and optimiser as a safetensors file.
    public func saveState() async throws -> Data {
        var request = Hidra_V1_SaveStateRequest()
        request.run = run
        return try await client.ask(.saveState(request), on: .work) { message in
            guard case .saveStateReply = message.envelope.kind, let bytes = message.tensors.first else { return nil }
            return Data(bytes)
        }
    }

    /// Takes a state that `saveState` gave.
    public func loadState(_ state: Data) async throws {
        _ = try await numbered { number in
            var request = Hidra_V1_LoadStateRequest()
            request.run = run
            request.sequence = number
            var frame = Hidra_V1_TensorFrame()
            frame.name = "state"
            frame.type = .uint8
            frame.shape = [UInt64(state.count)]
            return try await client.ask(.loadState(request), tensors: [(frame, [UInt8](state))], on: .work) {
                if case .loadStateReply(let reply) = $0.envelope.kind { reply } else { nil }
            }
        }
    }

    /// Ends the attachment.
    ///
    /// - Parameter keep: register the head; otherwise its weights are gone.
    @discardableResult
    public func detach(keep: Bool, metrics: [String: Double] = [:]) async throws -> Hidra_V1_DetachReply {
        var request = Hidra_V1_DetachRequest()
        request.run = run
        request.keep = keep
        request.metrics = metrics
        return try await client.ask(.detach(request), on: .work) {
            if case .detachReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }
}

/// Outputs of a head, row-major `[rows, width]`.
public struct HeadOutputs: Sendable {
    public let values: [Float]
    public let rows: Int, width: Int
    /// Texts of the batch that were cut.
    public let truncated: UInt64

    /// nil when the message has no such tensor.
    init?(_ message: WireMessage, truncated: UInt64) {
        guard let tensor = message.envelope.tensors.first, let bytes = message.tensors.first, tensor.type == .float32,
            tensor.shape.count == 2, let rows = Int(exactly: tensor.shape[0]), let width = Int(exactly: tensor.shape[1])
        else { return nil }
        (self.rows, self.width, self.truncated) = (rows, width, truncated)
        values = HidraClient.floats(bytes)
    }
}

extension HidraClient {
    /// Attaches a new head, to be trained by this program.
    public func attach(_ request: Hidra_V1_AttachRequest) async throws -> HeadAttachment {
        let reply = try await ask(.attach(request), on: .work) {
            if case .attachReply(let reply) = $0.envelope.kind { reply } else { nil as Hidra_V1_AttachReply? }
        }
        return HeadAttachment(self, reply)
    }

    /// Goes on with a head attached before, perhaps by another connection or to an earlier daemon, from its last written step.
    public func attach(run: String) async throws -> HeadAttachment {
        var request = Hidra_V1_AttachRequest()
        request.run = run
        return try await attach(request)
    }
}

extension Hidra_V1_Batch {
    /// Rows of a data set uploaded before.
    public static func rows(_ rows: [Int], of data: String, input: String = "", label: String = "") -> Hidra_V1_Batch {
        var batch = Hidra_V1_Batch()
        batch.data = data
        batch.rows = rows.map { UInt64(clamping: $0) }
        batch.inputColumn = input
        batch.labelColumn = label
        return batch
    }

    /// Texts of its own.
    public static func texts(_ texts: [String], labels: [String] = []) -> Hidra_V1_Batch {
        var batch = Hidra_V1_Batch(), column = Hidra_V1_Column()
        column.name = "input"
        column.values = texts
        batch.columns = [column]
        batch.inputColumn = "input"
        guard !labels.isEmpty else { return batch }
        var labelColumn = Hidra_V1_Column()
        labelColumn.name = "label"
        labelColumn.values = labels
        batch.columns.append(labelColumn)
        batch.labelColumn = "label"
        return batch
    }
}
