import HidraProtocol
import Heads
import Sessions
import State
import Training
import Workbench

extension Hidra_V1_Session {
    /// - Parameters:
    ///   - whole: with what does not change while it runs: document, data, encoders and versions.
    ///   - history: what happened to it.
    init(_ status: SessionStatus, whole: Bool = true, epochs withEpochs: Bool = true, history events: [SessionEventRecord] = []) {
        self.init()
        let record = status.record, live = status.live
        name = record.name
        id = record.id
        state = record.state.rawValue
        phase = live?.phase ?? ""
        message = record.message
        (created, updated, ended) = (record.created, record.updated, record.ended ?? 0)
        step = UInt64(max(live?.step ?? 0, record.state.hasEnded || live == nil ? record.step : 0))
        totalSteps = UInt64(live.map(\.totalSteps) ?? record.totalSteps)
        seconds = live?.seconds ?? record.seconds
        coreSeconds = live?.coreSeconds ?? record.coreSeconds
        checkpointStep = UInt64(record.checkpoint?.step ?? 0)
        checkpointDigest = record.checkpoint?.sha256 ?? ""
        let plan = SessionPlan.known(record.document)
        heads = (plan?.heads ?? []).map { head in
            var message = Hidra_V1_SessionHead()
            message.name = head.name
            message.task = Hidra_V1_Task(HeadTask(rawValue: head.task.rawValue) ?? .classify)
            message.plugin = head.loss ?? ""
            message.loss = live?.losses[head.name] ?? 0
            message.bestEpoch = UInt32(clamping: live?.bestEpochs[head.name] ?? record.results[head.name]?.bestEpoch ?? 0)
            if withEpochs { message.epochs = (live?.epochs[head.name] ?? []).map(Hidra_V1_SessionEpoch.init) }
            if let result = record.results[head.name] {
                message.run = record.runs[head.name] ?? ""
                message.digest = result.digest
                message.metrics = result.metrics
            }
            return message
        }
        if plan?.train.what.hasBody ?? false, record.state == .finished { adaptedEncoder = record.name }
        seed = plan?.seed ?? 0
        guard whole else { return }
        document = record.document
        data = record.data.map { file in
            var message = Hidra_V1_SessionData()
            (message.path, message.origin) = (file.path, file.origin)
            (message.fileSha256, message.copySha256) = (file.fileDigest, file.copyDigest)
            message.rows = UInt64(file.rows)
            return message
        }
        encoders = record.encoders.sorted { $0.key < $1.key }.map { name, digest in
            var message = Hidra_V1_SessionEncoder()
            (message.name, message.digest) = (name, digest)
            return message
        }
        versions = record.versions
        history = events.map { event in
            var message = Hidra_V1_SessionEvent()
            (message.time, message.name, message.message) = (event.time, event.name, event.message)
            return message
        }
    }
}

extension Hidra_V1_SessionEpoch {
    init(_ epoch: Trainer.Epoch) {
        self.init()
        self.epoch = UInt32(clamping: epoch.number)
        step = UInt64(clamping: epoch.step)
        (loss, validationScore) = (epoch.loss, epoch.score)
    }
}

extension Hidra_V1_SessionProgress {
    init(_ status: SessionStatus, isFirst: Bool, history: [SessionEventRecord]) {
        self.init()
        session = Hidra_V1_Session(status, whole: isFirst, history: history)
        guard let live = status.live else { return }
        (done, total) = (UInt64(max(0, live.done)), UInt64(max(0, live.total)))
        unit = live.unit
        (stepsPerSecond, rowsPerSecond) = (live.stepsPerSecond, live.rowsPerSecond)
        (cacheHits, cacheMisses) = (UInt64(max(0, live.cacheHits)), UInt64(max(0, live.cacheMisses)))
        secondsLeft = live.secondsLeft ?? 0
        note = live.note
    }
}

extension Hidra_V1_SessionEstimate {
    init(_ estimate: SessionEstimate) {
        self.init()
        neededBytes = UInt64(max(0, estimate.needed))
        availableBytes = UInt64(clamping: estimate.available)
    }
}

extension Failure {
    /// What is wrong with a session document, with its line.
    init(_ error: SessionError) {
        self.init(
            error.code == .newerVersion ? .unsupported : .invalidArgument, "The session document, \(error)",
            details: ["line": error.line.map(String.init) ?? "", "suggestion": error.suggestion ?? ""].filter { !$0.value.isEmpty })
    }
}

extension SessionPlan {
    /// The plan of a document that this daemon, or a newer one, has accepted; nil for a newer one's.
    fileprivate static func known(_ document: String) -> SessionPlan? {
        do { return try SessionPlan(document: document) } catch { return nil }
    }
}
