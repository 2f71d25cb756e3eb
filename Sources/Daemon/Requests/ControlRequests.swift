import Encoders
import Foundation
import HidraProtocol
import PluginHost
import Scheduling
import State
import TensorCore
import Workbench

/// Serves the control socket. Nothing here waits for work.
struct ControlRequests: Sendable {
    let workbench: Workbench
    let jobs: JobTable
    let clients: ClientTable
    let access: AccessControl
    let events: EventLog
    let data: DataStore
    let calls: CallTable
    let plugins: PluginHost
    let limits: Limits
    let version: String
    let started: ContinuousClock.Instant
    let reply: @Sendable (Hidra_V1_Envelope, ClientIdentity) -> Void
    let forget: @Sendable (ClientIdentity) -> Void
    /// The client has promised to be silent for no longer than so many seconds; 0: it promises nothing.
    let expect: @Sendable (ClientIdentity, UInt32) -> Void
    /// What a plugin with this token may do; nil for a token that the daemon has not given to any.
    let shutDown: @Sendable (Duration) -> Void
    let log: @Sendable (String) -> Void

    func handle(_ message: InboundMessage) {
        let client = message.client, request = message.envelope.requestID
        if let plugin = clients.plugin(of: client) { plugins.heard(plugin) }
        func answer(_ kind: Hidra_V1_Envelope.OneOf_Kind) { reply(.reply(to: request, kind), client) }
        switch message.envelope.kind {
        case .hello(let hello): reply(greet(hello, client, request), client)
        case .heartbeat: answer(.heartbeat(Hidra_V1_Heartbeat()))
        case .cancel(let cancel):
            var reply = Hidra_V1_CancelReply()
            reply.cancelled =
                switch cancel.target {
                case .job(let id): jobs.cancel(id) { access.mayCancel($0, client) }
                case .openRequestID(let open): jobs.cancel(client: client, request: open)
                case nil: false
                }
            answer(.cancelReply(reply))
        case .status:
            // Measuring the cache reads a database; the loop's thread has better things to do.
            Task { reply(await status(request), client) }
        case .shutdown(let shutdown):
            var reply = Hidra_V1_ShutdownReply()
            reply.jobsFinishing = UInt32(clamping: jobs.count)
            answer(.shutdownReply(reply))
            let grace = shutdown.graceSeconds.isFinite ? min(max(shutdown.graceSeconds, 0), 86_400) : 0
            shutDown(.seconds(grace))
        case .goodbye:
            lost(client)
            forget(client)
        case .replay(let replay): answer(.replayReply(events.replay(from: replay.fromSequence)))
        default:
            reply(
                .failure(of: request, .unsupported, "This daemon does not know that kind of request. Update Hidra."),
                client)
        }
    }

    /// A client is gone: what only it waited for ends, what it sent is dropped.
    func lost(_ client: ClientIdentity) {
        jobs.abandon(client)
        data.dropAll(of: client)
        if let plugin = clients.plugin(of: client) { plugins.lost(plugin) }
        clients.forget(client)
        calls.fail(client)
        Task {
            do { try await workbench.releaseAttachments(of: client.description) } catch {
                log("what client \(client) had attached could not be written: \(error)")
            }
        }
        // What its requests needed is free now; an idle daemon should be no larger than its encoders.
        DispatchQueue.global(qos: .utility).async { workbench.encoders.trim() }
    }

    private func greet(_ hello: Hidra_V1_Hello, _ client: ClientIdentity, _ request: UInt64) -> Hidra_V1_Envelope {
        let ours = ProtocolVersion.supported
        guard hello.protocolMin <= hello.protocolMax, hello.protocolMax >= ours.lowerBound,
            hello.protocolMin <= ours.upperBound
        else {
            return .failure(
                of: request, .incompatibleVersion,
                "This daemon (\(version)) speaks protocol \(ours.lowerBound) to \(ours.upperBound), the client \(hello.protocolMin) to "
                    + "\(hello.protocolMax). Update the older of the two, and restart the daemon with `hidra stop`.")
        }
        // A second hello is another beginning.
        if let plugin = clients.plugin(of: client) { plugins.lost(plugin) }
        var plugin: PluginHost.Pass?
        if !hello.pluginToken.isEmpty {
            if client.key == nil {
                plugin = plugins.greeted(
                    token: hello.pluginToken, heartbeat: hello.heartbeatSeconds > 0 ? .seconds(Int(hello.heartbeatSeconds)) : nil
                ) { [reply] reason in
                    var goodbye = Hidra_V1_Goodbye()
                    goodbye.reason = reason
                    reply(.reply(to: 0, .goodbye(goodbye)), client)
                }
            }
            guard plugin != nil else {
                return .failure(
                    of: request, .permissionDenied,
                    "No plugin that this daemon runs has this token (HIDRA_PLUGIN_TOKEN). A plugin gets its own with each start; a program "
                        + "started by hand has none.")
            }
        }
        clients.greet(
            client, name: hello.client, plugin: plugin, role: plugin.flatMap { Role(rawValue: $0.role.rawValue) },
            capabilities: hello.capabilities)
        expect(client, hello.heartbeatSeconds)
        var welcome = Hidra_V1_Welcome()
        welcome.protocol = min(hello.protocolMax, ours.upperBound)
        welcome.protocolMin = ours.lowerBound
        welcome.protocolMax = ours.upperBound
        welcome.daemonVersion = version
        welcome.processID = UInt32(ProcessInfo.processInfo.processIdentifier)
        welcome.limits = limits.message
        welcome.heartbeatSeconds = 10
        welcome.capabilities = [
            "classify", "multilabel", "regress", "tag", "head.linear", "head.mlp", "head.graph", "head.inputs", "image", "graph",
            "export", "events.replay", "steps", "calls", "plugins", "upload", "keys", "predict.stream", "sessions",
        ]
        welcome.role = access.role(of: client)?.rawValue ?? ""
        return .reply(to: request, .welcome(welcome))
    }

    private func status(_ request: UInt64) async -> Hidra_V1_Envelope {
        var status = Hidra_V1_StatusReply()
        status.daemonVersion = version
        status.processID = UInt32(ProcessInfo.processInfo.processIdentifier)
        status.uptimeSeconds = (ContinuousClock.now - started) / .seconds(1)
        status.residentBytes = UInt64(ProcessMemory.residentBytes)
        status.home = workbench.registry.directory.root.path
        status.threads = UInt32(WorkerPool.shared.threads)
        status.kernels = KernelLevel.current
        status.encoders = workbench.encoders.list.map { loaded, idle in
            var encoder = Hidra_V1_LoadedEncoder()
            encoder.name = loaded.record.name
            encoder.weightBytes = UInt64(clamping: loaded.encoder.weightMemory.resident)
            encoder.precision = loaded.encoder.precision.rawValue
            encoder.idleSeconds = idle
            return encoder
        }
        status.jobs = jobs.listed.map { job in
            var message = Hidra_V1_Job()
            message.id = job.id
            message.kind = job.kind
            message.subject = job.subject
            message.progress = job.progress
            message.elapsedSeconds = (ContinuousClock.now - job.started) / .seconds(1)
            message.client = clients.name(of: job.client)
            return message
        }
        let waiting = workbench.compute.waiting
        status.waitingInteractive = UInt32(waiting[.interactive] ?? 0)
        status.waitingTraining = UInt32((waiting[.training] ?? 0) + (waiting[.bulk] ?? 0))
        status.clients = UInt32(clients.count)
        do {
            let cache = try await workbench.cacheStatistics()
            status.featureCacheBytes = UInt64(clamping: cache.bytes)
            status.featureCacheRows = UInt64(clamping: cache.rows)
            return .reply(to: request, .statusReply(status))
        } catch {
            let failure = Failure(error)
            return .failure(of: request, failure.code, failure.message, details: failure.details)
        }
    }
}
