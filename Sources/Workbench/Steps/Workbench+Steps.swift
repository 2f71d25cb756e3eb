import Encoders
import Foundation
import Heads
import Scheduling
package import State
import Synchronization
import Training

/// Heads that clients train step by step, by their runs.
final class AttachmentTable: Sendable {
    static let most = 256
    private let attachments = Mutex<[String: Attachment]>([:])

    subscript(run: String) -> Attachment? {
        get { attachments.withLock { $0[run] } }
        set { attachments.withLock { $0[run] = newValue } }
    }

    func owned(by owner: String) -> [Attachment] { attachments.withLock { $0.values.filter { $0.owner == owner } } }
    var all: [Attachment] { attachments.withLock { Array($0.values) } }
    var count: Int { attachments.withLock { $0.count } }
}

extension Workbench {
    package struct AttachmentStatus: Sendable {
        package let attachment: Attachment
        package let sequence: UInt64
        package let steps: Int
        package let parameters: Int
        package let run: RunRecord
    }

    /// Attaches a new head for a client.
    ///
    /// - Throws: `invalidArgument`, `alreadyExists`, `conflict`, `limitExceeded`; nothing has changed then.
    package func attach(_ request: AttachmentRequest, owner: String) async throws -> AttachmentStatus {
        try request.validate()
        try await registry.requireHeadName(request.head, replacing: request.replace)
        try claim(request.head, encoders: request.inputs.map(\.encoder))
        do {
            var loaded: [String: LoadedEncoder] = [:]
            for input in request.inputs where loaded[input.encoder] == nil {
                loaded[input.encoder] = try await encoders.encoder(named: input.encoder, precision: request.precision)
            }
            let encoders = loaded
            if case .fusion = request.kind {
                throw WorkbenchError(
                    .unsupported,
                    "A head of kind \"\(request.kind.name)\" is trained by `hidra train`, not step by step. Attach a graph of your own instead.")
            }
            let sources = try await Workbench.offPool {
                do {
                    let ports = try request.graph.flatMap { request.kind == .graph ? try HeadPorts(graph: $0) : nil }
                    return try TrainingPlan.sources(request.training, encoders, ports)
                } catch let error as HeadError {
                    throw WorkbenchError(error)
                }
            }
            let description = AttachmentDescription(request, sources)
            let json = JSONEncoder()
            json.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let run = try await registry.beginRun(
                head: request.head, encoder: sources[0].input.encoder,
                configuration: String(decoding: json.encode(description), as: UTF8.self))
            do {
                let folder = AttachmentFolder(url: registry.directory.folder(.runs, run.id))
                try await Workbench.offPool { try folder.write(description, graph: request.graph) }
                return try await open(run, description, request.graph, sources, folder, owner, isNew: true)
            } catch {
                try await registry.finishRun(run.id, state: .failed, message: "\(error)")
                throw error
            }
        } catch {
            release(request.head)
            throw error
        }
    }

    /// Goes on with a head that was attached before, from its last written step. A client that had it loses it.
    ///
    /// - Parameter account: of the client; nil: it may go on with anybody's.
    /// - Throws: `notFound`, also for another account's run; `conflict`, `corrupt`.
    package func reattach(run id: String, owner: String, account: String?) async throws -> AttachmentStatus {
        let folder = AttachmentFolder(url: registry.directory.folder(.runs, id))
        var run = try await registry.run(id)
        let (description, graph) = try await Workbench.offPool { try folder.read(run: id) }
        guard account == nil || account == description.account else { throw AttachmentFolder.notAttached(id) }
        if let attachment = attachments[id] {
            attachment.give(to: owner)
            try await detachFromMemory(attachment)
        }
        try claim(description.head, encoders: description.inputs.map(\.encoder))
        do {
            var sources: [FeatureSource] = []
            for input in description.inputs {
                let loaded = try await encoders.encoder(named: input.encoder, precision: description.precision)
                guard loaded.record.digest == input.encoderDigest else {
                    throw WorkbenchError(
                        .conflict,
                        "Run '\(id)' was attached to other weights than encoder '\(input.encoder)' has now. Attach a new head.")
                }
                sources.append(
                    FeatureSource(
                        input: input, loaded: loaded, tap: try loaded.tap(named: input.tap),
                        column: description.columns.firstIndex(of: input.column) ?? 0))
            }
            run = try await registry.resumeRun(id)
            return try await open(run, description, graph, sources, folder, owner, isNew: false)
        } catch {
            release(description.head)
            throw error
        }
    }

    private func open(
        _ run: RunRecord, _ description: AttachmentDescription, _ graph: Data?, _ sources: [FeatureSource], _ folder: AttachmentFolder,
        _ owner: String, isNew: Bool
    ) async throws -> AttachmentStatus {
        guard attachments.count < AttachmentTable.most else {
            throw WorkbenchError(
                .limitExceeded, "\(AttachmentTable.most) heads are attached already. Detach one first.",
                details: ["limit": String(AttachmentTable.most)])
        }
        let (attachment, status) = try await compute.perform(.training) {
            let attachment = try Attachment(run: run.id, description, graph: graph, sources, folder, owner: owner, isNew: isNew)
            return (attachment, attachment.status)
        }
        attachments[run.id] = attachment
        return AttachmentStatus(
            attachment: attachment, sequence: status.sequence, steps: status.steps, parameters: status.parameters, run: run)
    }

    /// - Throws: `notFound` for a run that is not attached, `conflict` for another client's.
    package func attachment(_ run: String, owner: String) throws -> Attachment {
        guard let attachment = attachments[run] else {
            throw WorkbenchError(
                .notFound, "Run '\(run)' is not attached. Attach it again by its run, or a new head.", details: ["name": run])
        }
        guard attachment.owner == owner else {
            throw WorkbenchError(.conflict, "Run '\(run)' is attached by another client now.", details: ["name": run])
        }
        return attachment
    }

    /// Does a verb; a step is on disk, if it is one that is written down, before this returns.
    package func perform(
        _ verb: StepVerb, on attachment: Attachment, sequence: UInt64 = 0, batch: StepBatch? = nil
    ) async throws -> StepAnswer {
        var own: AttachedRows.Source?
        if let batch {
            if !(batch.table.map(attachment.hasTable) ?? false) {
                try attachment.sources.require(batch.columns)
                let features = try await extractor.features(batch.columns, for: attachment.sources, priority: .training)
                if let problem = features.problems.min(by: { $0.key < $1.key }) {
                    throw WorkbenchError(
                        .invalidData, "Row \(problem.key + 1) cannot be read: \(problem.value). Remove it.",
                        details: ["row": String(problem.key + 1)])
                }
                let rows = try await attachment.rows(features, of: batch.columns)
                if let table = batch.table {
                    try await compute.perform(.training) { attachment.keep(AttachedRows(rows), as: table) }
                } else {
                    own = rows
                }
            }
        }
        let rows = own
        let answer = try await compute.perform(.training) {
            try attachment.perform(verb, sequence: sequence, batch, own: rows.map(AttachedRows.init))
        }
        if answer.isStep, let state = answer.state {
            try await Workbench.offPool { try attachment.write(state: state) }
        }
        return answer
    }

    /// Ends an attachment: registers its head, or forgets it. Asked again, it answers as before.
    package func detach(
        run id: String, owner: String, keep: Bool, metrics: [String: Double]
    ) async throws -> (run: RunRecord, head: HeadRecord?) {
        guard attachments[id] != nil else {
            let run = try await registry.run(id)
            let isKept = run.state == .finished
            guard run.state != .running, run.state != .interrupted, isKept == keep else {
                throw WorkbenchError(.notFound, "Run '\(id)' is not attached. Attach it again by its run first.", details: ["name": id])
            }
            return (run, isKept ? try await registry.head(named: run.head) : nil)
        }
        let attachment = try attachment(id, owner: owner)
        var head: HeadRecord?
        if keep {
            let staging = try registry.directory.stage()
            let (written, parameters) = try await compute.perform(.training) { try attachment.writeBundle(to: staging) }
            let description = attachment.description, first = attachment.sources[0]
            let isPlain = description.inputs.count == 1 && description.inputs[0].form == .pooled
            let record = HeadRecord(
                name: description.head, encoder: first.input.encoder, encoderDigest: first.input.encoderDigest,
                task: description.task.rawValue, kind: description.kind.name, labels: description.labels, parameters: parameters,
                digest: written.weightsDigest, created: Date().timeIntervalSince1970, metrics: metrics, run: id, tap: first.input.tap,
                modality: first.loaded.encoder.modality, inputs: isPlain ? nil : description.inputs)
            // What an earlier detach of the same run has registered, before the daemon died, is this head.
            let isOwn = try await registry.heads().contains { $0.name == record.name && $0.run == id }
            head =
                description.replace || isOwn
                ? try await registry.replaceHead(record, staged: staging) : try await registry.addHead(record, staged: staging)
            heads.forget(description.head)
        }
        attachments[id] = nil
        release(attachment.description.head)
        let run = try await registry.finishRun(
            id, state: keep ? .finished : .cancelled, metrics: metrics, message: keep ? "" : "Detached without keeping the head.")
        try await Workbench.offPool { try attachment.folder.remove() }
        return (run, head)
    }

    /// A client is gone: what it attached waits on disk, at its last step, until it is attached again.
    package func releaseAttachments(of owner: String) async throws {
        for attachment in attachments.owned(by: owner) { try await detachFromMemory(attachment) }
    }

    /// Everything attached goes to disk: the daemon stops.
    func releaseAllAttachments() async throws {
        for attachment in attachments.all { try await detachFromMemory(attachment) }
    }

    private func detachFromMemory(_ attachment: Attachment) async throws {
        attachments[attachment.run] = nil
        release(attachment.description.head)
        if let state = try await compute.perform(.training, { try attachment.unwrittenState() }) {
            try await Workbench.offPool { try attachment.write(state: state) }
        }
        attachment.release()
        try await registry.finishRun(
            attachment.run, state: .interrupted, message: "Its client is gone, or the daemon stopped. Attach it again by its run to go on.")
    }

    private func claim(_ head: String, encoders: [String]) throws {
        let isFree = training.withLock { training in
            guard training[head] == nil else { return false }
            training[head] = Set(encoders)
            return true
        }
        guard isFree else {
            throw WorkbenchError(
                .conflict, "Head '\(head)' is being trained by another run. Wait for it, or choose another name.")
        }
    }

    private func release(_ head: String) { training.withLock { $0[head] = nil } }
}
