import Encoders
import Foundation
import Heads
import HidraProtocol
import State
import Training
import Workbench

/// Heads that clients train step by step.
extension WorkRequests {
    func attach(_ request: Hidra_V1_AttachRequest, _ client: ClientIdentity) async throws -> Answer {
        let owner = client.description, status: Workbench.AttachmentStatus
        if request.run.isEmpty {
            var new = try attachment(request)
            new.account = client.key ?? ""
            status = try await workbench.attach(new, owner: owner)
            events.record("run.started", status.run.id, ["head": status.run.head, "encoder": status.run.encoder])
        } else {
            // Whoever has no key is this machine's own user.
            status = try await workbench.reattach(run: request.run, owner: owner, account: client.key)
            events.record("run.resumed", status.run.id, ["head": status.run.head, "encoder": status.run.encoder])
        }
        // Its connection may have been lost meanwhile: then nobody would let go of it.
        guard clients.hasGreeted(client) else {
            try await workbench.releaseAttachments(of: owner)
            throw CancellationError()
        }
        var reply = Hidra_V1_AttachReply()
        reply.run = status.run.id
        reply.sequence = status.sequence
        reply.steps = UInt64(status.steps)
        reply.parameters = UInt64(status.parameters)
        reply.outputs = UInt32(status.attachment.outputs)
        reply.inputs = status.attachment.inputs.map(Hidra_V1_HeadInput.init)
        reply.loss = status.attachment.lossName
        return Answer(.attachReply(reply))
    }

    private func attachment(_ request: Hidra_V1_AttachRequest) throws -> AttachmentRequest {
        guard !request.head.isEmpty else { throw Failure(.invalidArgument, "The head needs a name.") }
        let (inputs, columns) = try InputRequest.all(request.inputs, encoder: request.encoder, tap: request.tap, column: "input")
        let reads = inputs.isEmpty ? [InputRequest(encoder: request.encoder, tap: request.tap)] : inputs
        guard reads.allSatisfy({ !$0.encoder.isEmpty }) else {
            throw Failure(.invalidArgument, "Name the encoder the head is to sit on.")
        }
        let task = try HeadTask(request.task)
        return AttachmentRequest(
            head: request.head, task: task, kind: try kind(request.kind, task),
            graph: request.kind.name == "graph" ? request.kind.graph : nil, inputs: reads, columns: inputs.isEmpty ? [] : columns,
            labels: request.labels, optimiser: try OptimiserChoice(request.optimiser), objective: try Objective(request.loss, task),
            seed: request.seed, replace: request.replace, precision: try Precision(wire: request.precision),
            checkpointSteps: max(1, Int(request.checkpointSteps)))
    }

    func forward(_ request: Hidra_V1_ForwardRequest, _ batch: StepBatch, _ attachment: Attachment) async throws -> Answer {
        let answer = try await workbench.perform(
            .forward(keeps: request.sequence > 0), on: attachment, sequence: request.sequence, batch: batch)
        var reply = Hidra_V1_ForwardReply()
        reply.sequence = answer.sequence
        reply.truncated = UInt64(answer.truncated)
        return Answer(.forwardReply(reply), tensors: answer.tensors)
    }

    func forwardBackward(
        _ request: Hidra_V1_ForwardBackwardRequest, _ batch: StepBatch, _ attachment: Attachment
    ) async throws -> Answer {
        guard request.scale.isFinite else { throw Failure(.invalidArgument, "scale is \(request.scale); it must be finite.") }
        let answer = try await workbench.perform(
            .forwardBackward(scale: request.scale == 0 ? 1 : request.scale, wantsOutputs: request.outputs), on: attachment,
            sequence: request.sequence, batch: batch)
        var reply = Hidra_V1_ForwardBackwardReply()
        reply.sequence = answer.sequence
        reply.loss = answer.loss
        reply.truncated = UInt64(answer.truncated)
        return Answer(.forwardBackwardReply(reply), tensors: answer.tensors)
    }

    func backward(
        _ request: Hidra_V1_BackwardRequest, _ frames: [Hidra_V1_TensorFrame], _ tensors: [[UInt8]], _ attachment: Attachment
    ) async throws -> Answer {
        let (gradients, shape) = try [Float].tensor("gradients", frames, tensors)
        let answer = try await workbench.perform(
            .backward(gradients: gradients, shape: shape, step: request.step ? request.learningRate : nil), on: attachment,
            sequence: request.sequence)
        var reply = Hidra_V1_BackwardReply()
        reply.sequence = answer.sequence
        reply.steps = UInt64(answer.steps)
        reply.gradientNorm = answer.gradientNorm
        return Answer(.backwardReply(reply))
    }

    func optimStep(_ request: Hidra_V1_OptimStepRequest, _ attachment: Attachment) async throws -> Answer {
        let answer = try await workbench.perform(
            .step(learningRate: request.learningRate), on: attachment, sequence: request.sequence)
        var reply = Hidra_V1_OptimStepReply()
        reply.sequence = answer.sequence
        reply.steps = UInt64(answer.steps)
        reply.gradientNorm = answer.gradientNorm
        return Answer(.optimStepReply(reply))
    }

    func saveState(_ attachment: Attachment) async throws -> Answer {
        let answer = try await workbench.perform(.save, on: attachment), state = answer.state ?? Data()
        var reply = Hidra_V1_SaveStateReply()
        reply.sequence = answer.sequence
        reply.steps = UInt64(answer.steps)
        reply.digest = SHA256Digest(of: state).hex
        var frame = Hidra_V1_TensorFrame()
        frame.name = "state"
        frame.type = .uint8
        frame.shape = [UInt64(state.count)]
        return Answer(.saveStateReply(reply), tensors: [(frame, [UInt8](state))])
    }

    func loadState(
        _ request: Hidra_V1_LoadStateRequest, _ frames: [Hidra_V1_TensorFrame], _ tensors: [[UInt8]], _ attachment: Attachment
    ) async throws -> Answer {
        guard let index = frames.firstIndex(where: { $0.name == "state" }) else {
            throw Failure(.invalidArgument, "load_state needs a tensor \"state\", as save_state gave it.")
        }
        let folder = try workbench.registry.directory.stage(), file = folder.appending(path: "state.safetensors")
        let bytes = Data(tensors[index])
        let answer: StepAnswer
        do {
            try await Workbench.offPool { try bytes.write(to: file) }
            answer = try await workbench.perform(.load(file), on: attachment, sequence: request.sequence)
        } catch {
            try await Workbench.offPool { try FileManager.default.removeItem(at: folder) }
            throw error
        }
        try await Workbench.offPool { try FileManager.default.removeItem(at: folder) }
        var reply = Hidra_V1_LoadStateReply()
        reply.sequence = answer.sequence
        reply.steps = UInt64(answer.steps)
        return Answer(.loadStateReply(reply))
    }

    func detach(_ request: Hidra_V1_DetachRequest, _ client: ClientIdentity) async throws -> Answer {
        let (run, head) = try await workbench.detach(
            run: request.run, owner: client.description, keep: request.keep, metrics: request.metrics)
        if let head { events.record("head.registered", head.name, ["run": run.id, "digest": head.digest]) }
        events.record(request.keep ? "run.finished" : "run.cancelled", run.id, ["head": run.head])
        var reply = Hidra_V1_DetachReply()
        reply.run = Hidra_V1_Run(run)
        if let head { reply.head = Hidra_V1_Head(head) }
        return Answer(.detachReply(reply))
    }

    /// The rows of a batch, as they are now.
    ///
    /// - Parameter needsLabels: for the attachment's own loss.
    func batch(
        _ batch: Hidra_V1_Batch, needsLabels: Bool, _ attachment: Attachment, _ client: ClientIdentity
    ) throws -> StepBatch {
        let names = attachment.columns == [""] ? [batch.inputColumn] : attachment.columns
        let own = Dictionary(batch.columns.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        guard batch.data.isEmpty else {
            let table = try data.table(batch.data, client: client)
            guard !batch.rows.isEmpty, batch.rows.count <= limits.textsPerRequest else {
                throw Failure(.limitExceeded, "A batch has 1 to \(limits.textsPerRequest) rows; this one has \(batch.rows.count).")
            }
            guard let beyond = batch.rows.max(), beyond < UInt64(table.rows) else {
                throw Failure(
                    .invalidArgument, "The batch names row \(batch.rows.max() ?? 0) of data set '\(batch.data)', which has \(table.rows), "
                        + "counted from 0.")
            }
            let rows = batch.rows.map { Int($0) }, labels = needsLabels ? try table.texts(batch.labelColumn) : []
            let key = StepBatch.Table(name: batch.data + "\n" + names.joined(separator: "\n"), version: table.version)
            let columns = attachment.hasTable(key) ? [] : try names.map { try inputs(of: table, $0) }
            return StepBatch(table: key, rows: rows, columns: columns, labels: needsLabels ? rows.map { labels[$0] } : [])
        }
        let columns = try names.map { name -> [EncoderInput] in
            guard let column = own[name] ?? (names.count == 1 && batch.columns.count == 1 ? batch.columns[0] : nil) else {
                throw Failure(.invalidArgument, "The batch has no column '\(name)'; the head reads \(names.joined(separator: ", ")).")
            }
            return try inputs(column.values, column.blobs)
        }
        let count = columns[0].count
        guard count > 0, columns.allSatisfy({ $0.count == count }) else {
            throw Failure(.invalidArgument, "A batch needs rows: name a data set and its rows, or give columns of one length.")
        }
        var labels: [String] = []
        if needsLabels {
            guard let column = own[batch.labelColumn], column.values.count == count else {
                throw Failure(.invalidArgument, "The batch has no label column '\(batch.labelColumn)' of \(count) values.")
            }
            labels = column.values
        }
        return StepBatch(table: nil, rows: Array(0..<count), columns: columns, labels: labels)
    }
}

extension StepAnswer {
    fileprivate var tensors: [(Hidra_V1_TensorFrame, [UInt8])] {
        guard let outputs else { return [] }
        var tensors = [Hidra_V1_TensorFrame.float32("outputs", [outputs.rows, outputs.width], outputs.values)]
        if let lengths { tensors.append(Hidra_V1_TensorFrame.int32("lengths", lengths.map { Int32($0) })) }
        return tensors
    }
}

extension Hidra_V1_TensorFrame {
    static func int32(_ name: String, _ values: [Int32]) -> (Hidra_V1_TensorFrame, [UInt8]) {
        var frame = Hidra_V1_TensorFrame()
        frame.name = name
        frame.type = .int32
        frame.shape = [UInt64(values.count)]
        return (frame, values.withUnsafeBytes { Array($0) })
    }

    static func float32(_ name: String, _ shape: [Int], _ values: [Float]) -> (Hidra_V1_TensorFrame, [UInt8]) {
        var frame = Hidra_V1_TensorFrame()
        frame.name = name
        frame.type = .float32
        frame.shape = shape.map { UInt64($0) }
        return (frame, values.withUnsafeBytes { Array($0) })
    }
}

extension [Float] {
    /// The values and the shape of a float32 frame of a request.
    ///
    /// - Throws: `invalidArgument` when there is none of that name, or one of another type.
    static func tensor(
        _ name: String, _ frames: [Hidra_V1_TensorFrame], _ tensors: [[UInt8]]
    ) throws -> (values: [Float], shape: [Int]) {
        guard let index = frames.firstIndex(where: { $0.name == name }), frames[index].type == .float32 else {
            throw Failure(.invalidArgument, "The request needs a float32 tensor \"\(name)\".")
        }
        let bytes = tensors[index]
        let values = [Float](unsafeUninitializedCapacity: bytes.count / 4) { buffer, count in
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<(bytes.count / 4 * 4)])) }
            count = bytes.count / 4
        }
        return (values, frames[index].shape.map { Int(clamping: $0) })
    }
}

extension OptimiserChoice {
    fileprivate init(_ message: Hidra_V1_Optimiser) throws {
        self.init()
        guard let name = message.name.isEmpty ? .adamw : Name(rawValue: message.name) else {
            throw Failure(
                .invalidArgument,
                "There is no optimiser '\(message.name)'; there are \(Name.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        self.name = name
        if message.learningRate != 0 { learningRate = message.learningRate }
        if message.hasWeightDecay { weightDecay = message.weightDecay }
        if message.hasMomentum { momentum = message.momentum }
        if message.hasBeta1 { beta1 = message.beta1 }
        if message.hasBeta2 { beta2 = message.beta2 }
        if message.clipNorm != 0 { clipNorm = message.clipNorm }
    }
}

extension Objective {
    fileprivate init(_ message: Hidra_V1_Loss, _ task: HeadTask) throws {
        let fitting: [String] =
            switch task {
            case .classify: ["cross_entropy"]
            case .multilabel: ["binary_cross_entropy"]
            case .regress: ["mean_squared_error", "l1", "huber"]
            case .tag: ["crf"]
            }
        guard message.name.isEmpty || fitting.contains(message.name) else {
            throw Failure(
                .invalidArgument,
                "The loss '\(message.name)' does not fit a head that is to \(task.rawValue); there is \(fitting.joined(separator: ", ")). "
                    + "For another loss compute its gradients and send `backward`.")
        }
        self.init(
            classWeights: message.classWeights.isEmpty ? nil : message.classWeights, smoothing: Float(message.labelSmoothing),
            difference: Difference(rawValue: message.name) ?? .squared)
    }
}
