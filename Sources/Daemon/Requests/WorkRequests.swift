import Foundation
import HidraProtocol
import Hub
import PluginHost
import Scheduling
import Workbench

/// Serves the work socket: each request is a job in a task of its own, whose blocking parts run on threads of ours.
struct WorkRequests: Sendable {
    let workbench: Workbench
    let data: DataStore
    let jobs: JobTable
    let clients: ClientTable
    let access: AccessControl
    let uploads: UploadStore
    let keys: KeyRequests
    let events: EventLog
    let plugins: PluginHost
    let limits: Limits
    let lines = RequestLines()
    let calls: CallTable
    let reply: @Sendable (Hidra_V1_Envelope, [[UInt8]], ClientIdentity) -> Void

    func handle(_ message: InboundMessage) {
        let client = message.client, request = message.envelope.requestID
        // Also what arrives late of a client that is gone: nothing would ever clean up after it.
        guard clients.hasGreeted(client) else {
            return fail(client, request, Failure(.invalidArgument, "Say hello on the control socket first."))
        }
        if let plugin = clients.plugin(of: client) { plugins.heard(plugin) }
        switch message.envelope.kind {
        case .appendRows(let rows):
            // Here and now, in order of arrival: appends of one data set must not overtake each other.
            answer(client, request) {
                let quota = access.quota(of: client).dataBytes.map { max(0, $0 - uploads.bytesNow(of: client)) }
                let table = try data.append(rows, client: client, quota: quota)
                var reply = Hidra_V1_AppendRowsReply()
                reply.rows = UInt64(table.rows)
                reply.bytes = UInt64(table.bytes)
                return .appendRowsReply(reply)
            }
        case .dropRows(let rows):
            answer(client, request) {
                var reply = Hidra_V1_DropRowsReply()
                reply.rows = UInt64(data.drop(rows.data, client: client))
                return .dropRowsReply(reply)
            }
        case .list: quick("list", client, request) { _ in try await list() }
        case .show(let show): quick("show", client, request) { _ in try await self.show(show) }
        case .remove(let remove): quick("remove", client, request) { _ in try await self.remove(remove) }
        case .predict(let predict) where predict.stream:
            start("predict", predict.heads.joined(separator: ","), client, request) { job in
                try await predictStream(predict, job) { reply(.partial(to: request, .predictReply($0)), [], client) }
            }
        case .predict(let predict): quick("predict", client, request) { _ in try await self.predict(predict) }
        case .embed(let embed): quick("embed", client, request) { _ in try await self.embed(embed) }
        case .evaluate(let evaluate):
            // The rows are taken now: the client may drop them, or go, as soon as it has asked.
            let rows = Result {
                try labelled(
                    evaluate.data, evaluate.inputColumns.isEmpty ? [evaluate.inputColumn] : evaluate.inputColumns,
                    evaluate.labelColumn, evaluate.nameColumn, client)
            }
            start("evaluate", evaluate.head, client, request) { job in
                try await self.evaluate(evaluate, rows.get(), job)
            }
        case .train(let train):
            let training = Result { try trainingRequest(train, client) }
            start("train", train.head, client, request, outlivesClient: true) { job in
                try await self.train(training.get(), trainingCalls(train, client, request), job)
            }
        case .learningCurve(let curve):
            let training = Result { try trainingRequest(curve.training, client, named: false) }
            start("learning curve", "", client, request) { job in try await learningCurve(curve, training.get(), job) }
        case .cluster(let cluster):
            let inputs = Result { try self.inputs(of: data.table(cluster.data, client: client), cluster.inputColumn) }
            start("cluster", cluster.encoder, client, request) { job in try await self.cluster(cluster, inputs.get(), job) }
        case .suggest(let suggest):
            let columns = Result { try self.columns(of: suggest, client) }
            start("suggest", suggest.head, client, request) { job in try await self.suggest(suggest, columns.get(), job) }
        case .quantize(let quantize):
            let inputs = Result { try self.inputs(of: quantize, client) }
            start("quantize", quantize.encoder, client, request) { job in
                try await self.quantize(quantize, inputs.get(), job)
            }
        case .pretrain(let pretrain):
            let inputs = Result { try images(pretrain.data, pretrain.imageColumn, names: pretrain.nameColumn, client) }
            start("pretrain", pretrain.encoder, client, request, outlivesClient: true) { job in
                try await self.pretrain(pretrain, inputs.get(), job)
            }
        case .latent(let latent):
            let task = Result { try latentRequest(latent, message.envelope.tensors, message.tensors, client) }
            quick("latent", client, request) { _ in try await self.latent(task.get()) }
        case .export(let export): quick("export", client, request) { _ in try await self.export(export) }
        case .checkGraph(let check): quick("graph check", client, request) { _ in try await checkGraph(check) }
        case .runGraph(let run):
            let frames = message.envelope.tensors, tensors = message.tensors
            start("graph run", "", client, request) { _ in try await runGraph(run, frames, tensors) }
        case .attach(let attach): quick("attach", client, request) { _ in try await self.attach(attach, client) }
        case .forward(let forward):
            step("forward", forward.run, batch: forward.batch, client, request) { try await self.forward(forward, $1(), $0) }
        case .forwardBackward(let forward):
            step("forward_backward", forward.run, batch: forward.batch, needsLabels: true, client, request) {
                try await forwardBackward(forward, $1(), $0)
            }
        case .backward(let backward):
            let frames = message.envelope.tensors, tensors = message.tensors
            step("backward", backward.run, client, request) { attachment, _ in
                try await self.backward(backward, frames, tensors, attachment)
            }
        case .optimStep(let step):
            self.step("optim_step", step.run, client, request) { attachment, _ in try await optimStep(step, attachment) }
        case .saveState(let save):
            step("save_state", save.run, client, request) { attachment, _ in try await saveState(attachment) }
        case .loadState(let load):
            let frames = message.envelope.tensors, tensors = message.tensors
            step("load_state", load.run, client, request) { attachment, _ in
                try await loadState(load, frames, tensors, attachment)
            }
        case .serve(let serve):
            start("serve", "", client, request, isListed: false, isEndless: true) { _ in
                try await self.serve(serve, client, request)
            }
        case .callResult(let result):
            calls.finish(
                client, CallTable.Reply(result: result, frames: message.envelope.tensors, tensors: message.tensors))
        case .detach(let detach):
            inLine("detach", detach.run, client, request) { try await self.detach(detach, client) }
        case .pull(let pull):
            start("pull", pull.source, client, request, outlivesClient: true) { job in try await self.pull(pull, job) }
        case .listPlugins: quick("plugin ls", client, request) { _ in listPlugins() }
        case .installPlugin(let install): quick("plugin install", client, request) { _ in try await installPlugin(install) }
        case .controlPlugin(let control): quick("plugin control", client, request) { _ in try await controlPlugin(control) }
        case .pluginLogs(let logs):
            start("plugin logs", "", client, request, isListed: false, isEndless: logs.follow) { _ in
                try await pluginLogs(logs) { reply(.partial(to: request, .pluginLog($0)), [], client) }
            }
        case .startSession(let session):
            let taken = Result { try sessionRequest(session, client) }
            start("session start", "", client, request, outlivesClient: true, isListed: false) { _ in
                try await startSession(taken.get(), checkOnly: session.checkOnly)
            }
        case .listSessions: quick("session ls", client, request) { _ in try await listSessions() }
        case .showSession(let show): quick("session show", client, request) { _ in try await showSession(show.name) }
        case .watchSession(let watch):
            start("session watch", watch.name, client, request, isListed: false, isEndless: true) { _ in
                try await watchSession(watch) { reply(.partial(to: request, .sessionProgress($0)), [], client) }
            }
        case .controlSession(let control):
            start("session control", control.name, client, request, outlivesClient: true, isListed: false) { _ in
                try await controlSession(control, client)
            }
        case .upload(let upload): quick("upload", client, request) { _ in try await self.upload(upload, client) }
        case .openData(let open): quick("open data", client, request) { _ in try await openData(open, client) }
        case .createKey(let key): quick("new key", client, request) { _ in Answer(.createKeyReply(try await keys.create(key))) }
        case .listKeys: quick("keys", client, request) { _ in Answer(.listKeysReply(try await keys.list())) }
        case .revokeKey(let key): quick("revoke key", client, request) { _ in Answer(.revokeKeyReply(try await keys.revoke(key))) }
        case .checkData(let check):
            let rows = Result { try dataCheck(check, client) }
            start("check", "", client, request) { job in try await checkData(rows.get(), job) }
        case .compare(let compare): quick("compare", client, request) { _ in try await self.compare(compare) }
        case .testRows(let rows): quick("test rows", client, request) { _ in try await testRows(rows) }
        case .exportBundle(let export): quick("export bundle", client, request) { _ in try await exportBundle(export) }
        case .importBundle(let bundle): quick("import bundle", client, request) { _ in try await importBundle(bundle) }
        default:
            fail(
                client, request, Failure(.unsupported, "This daemon does not know that kind of request. Update Hidra."))
        }
    }

    typealias Kind = Hidra_V1_Envelope.OneOf_Kind
    struct Answer: Sendable {
        var kind: Kind
        var tensors: [(Hidra_V1_TensorFrame, [UInt8])] = []
        init(_ kind: Kind, tensors: [(Hidra_V1_TensorFrame, [UInt8])] = []) {
            self.kind = kind
            self.tensors = tensors
        }
    }

    private func answer(_ client: ClientIdentity, _ request: UInt64, _ body: () throws -> Kind) {
        do { reply(.reply(to: request, try body()), [], client) } catch { fail(client, request, Failure(error)) }
    }

    private func quick(
        _ kind: String, _ client: ClientIdentity, _ request: UInt64,
        _ body: @escaping @Sendable (JobHandle) async throws -> Answer
    ) {
        start(kind, "", client, request, isListed: false, body)
    }

    /// A verb for an attached head: in order of arrival, with the rows of its batch as they are now.
    private func step(
        _ kind: String, _ run: String, batch: Hidra_V1_Batch? = nil, needsLabels: Bool = false, _ client: ClientIdentity,
        _ request: UInt64, _ body: @escaping @Sendable (Attachment, () throws -> StepBatch) async throws -> Answer
    ) {
        let attachment = Result { try workbench.attachment(run, owner: client.description) }
        let rows = Result {
            try self.batch(batch ?? Hidra_V1_Batch(), needsLabels: needsLabels, attachment.get(), client)
        }
        inLine(kind, run, client, request) { try await body(attachment.get(), rows.get) }
    }

    /// After all earlier requests of the run.
    private func inLine(
        _ kind: String, _ run: String, _ client: ClientIdentity, _ request: UInt64,
        _ body: @escaping @Sendable () async throws -> Answer
    ) {
        let ticket = lines.enter(run)
        let isStarted = start(kind, "", client, request, isListed: false) { _ in
            await lines.turn(ticket)
            defer { lines.done(ticket) }
            return try await body()
        }
        if !isStarted { lines.abandon(ticket) }
    }

    @discardableResult
    private func start(
        _ kind: String, _ subject: String, _ client: ClientIdentity, _ request: UInt64, outlivesClient: Bool = false,
        isListed: Bool = true, isEndless: Bool = false, _ body: @escaping @Sendable (JobHandle) async throws -> Answer
    ) -> Bool {
        let quota = access.quota(of: client).openRequests, meter = access.meter(of: client)
        let account = Account(client.key.map { "key \($0)" } ?? client.description)
        let start = jobs.start(
            kind, subject, client: client, request: request, outlivesClient: outlivesClient, isListed: isListed,
            isEndless: isEndless, quota: quota
        ) { id in
            let handle = JobHandle(id: id, noted: { jobs.update(id, $0) }) { progress in
                jobs.update(id, progress)
                reply(.partial(to: request, .progress(progress)), [], client)
            }
            do {
                let answer = try await Meter.$current.withValue(meter) {
                    try await Account.$current.withValue(account) { try await body(handle) }
                }
                var envelope = Hidra_V1_Envelope.reply(to: request, answer.kind)
                envelope.tensors = answer.tensors.map(\.0)
                reply(envelope, answer.tensors.map(\.1), client)
            } catch {
                fail(client, request, jobs.isStopping && error is CancellationError ? .stopped : Failure(error))
            }
        }
        switch start {
        case .started: break
        case .stopping: fail(client, request, .stopped)
        case .full:
            fail(
                client, request,
                .quota("open_requests", limit: String(quota ?? 0), "requests open at a time. Wait until one of them is answered."))
        }
        return start == .started
    }

    private func fail(_ client: ClientIdentity, _ request: UInt64, _ failure: Failure) {
        reply(.failure(of: request, failure.code, failure.message, details: failure.details), [], client)
    }
}

extension Failure {
    static let stopped = Failure(
        .interrupted, "The daemon is stopping. Repeat the command to go on: features that were extracted are kept.")
}
