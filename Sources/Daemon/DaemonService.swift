import Foundation
package import HidraProtocol
package import Logging
package import PluginHost
import ServiceLifecycle
import State
import Synchronization
import Workbench
import ZeroMQ

/// The daemon: sockets, requests and the workbench behind them, from start to a clean stop.
package final class DaemonService: Service {
    package static let version = "0.1.0"

    private let workbench: Workbench
    private let loop: SocketLoop
    private let events: EventLog
    private let jobs = JobTable()
    private let plugins: PluginHost
    private let uploads: UploadStore
    private let usage: UsageFile
    private let outbox = Outbox()
    private let logger: Logger
    /// Each value asks for a stop with that much grace; the first one counts.
    private let stopRequests: AsyncStream<Duration>
    private let requestStop: AsyncStream<Duration>.Continuation

    /// Takes the home and opens its state. Sockets open in `run()`.
    ///
    /// - Parameters:
    ///   - environment: settings of the engine and of quotas, see `EngineSettings` and `Quota`; and what plugins are told of it.
    ///   - listen: where to listen besides, for clients with keys.
    ///   - pluginTiming: how patient it is with plugins.
    /// - Throws: `TransportError.alreadyRunning` when another daemon serves the home; `Failure` for a setting that cannot be.
    package init(
        home: Home, limits: Limits = Limits(), environment: [String: String], listen: ServerAddress? = nil,
        configuration: SocketLoop.Configuration = SocketLoop.Configuration(), pluginTiming: PluginLife.Timing = PluginLife.Timing(),
        logger: Logger
    ) throws {
        self.logger = logger
        let settings = try EngineSettings(environment), quota = try Quota(environment)
        let started = ContinuousClock.now
        let lock = try DaemonLock.acquire(home)
        let events = EventLog()
        let (workbench, report) = try Workbench.open(
            URL(filePath: home.path, directoryHint: .isDirectory), budget: settings.budget,
            circumstances: RunCircumstances(
                daemonVersion: Self.version, protocolVersion: ProtocolVersion.supported.upperBound, rates: settings.rates),
            didLoad: { events.record("encoder.loaded", $0.record.name) }, log: { logger.warning("\($0)") })
        for note in report.notes { logger.warning("\(note)") }
        for run in report.interruptedRuns { events.record("run.interrupted", run) }
        (self.workbench, self.events) = (workbench, events)
        let (stopRequests, requestStop) = AsyncStream.makeStream(
            of: Duration.self, bufferingPolicy: .bufferingOldest(1))
        (self.stopRequests, self.requestStop) = (stopRequests, requestStop)

        let directory = workbench.registry.directory
        var pluginSettings = PluginHost.Settings(
            folder: directory.root.appending(path: "plugins", directoryHint: .isDirectory), staging: directory.staging, home: home.path,
            environment: environment)
        pluginSettings.timing = pluginTiming
        let plugins = try PluginHost(
            pluginSettings, event: { events.record($0, $1, $2) }, note: { logger.warning("\($0)") })
        self.plugins = plugins

        let clients = ClientTable(), calls = CallTable(), data = DataStore(limits: limits, folder: directory.staging)
        let outbox = outbox, ring = KeyRing(try workbench.registry.keysAtStart()), serverKey = try ServerKey.load(directory.keys)
        let usage = try UsageFile(directory.keys) { logger.warning("\($0)") }
        self.usage = usage
        let access = AccessControl(clients: clients, keys: ring, defaults: quota, usage: usage)
        let uploads = UploadStore(directory, limitBytes: limits.blobBytes)
        self.uploads = uploads
        let control = ControlRequests(
            workbench: workbench, jobs: jobs, clients: clients, access: access, events: events, data: data,
            calls: calls, plugins: plugins, limits: limits, version: Self.version,
            started: started, reply: { outbox.send($0, [], $1, .control) }, forget: { outbox.forget($0) },
            expect: { outbox.expect($0, $1) },
            shutDown: { requestStop.yield($0) }, log: { logger.warning("\($0)") })
        let work = WorkRequests(
            workbench: workbench, data: data, jobs: jobs, clients: clients, access: access, uploads: uploads,
            keys: KeyRequests(
                registry: workbench.registry, ring: ring, uploads: uploads, serverKey: serverKey.publicKey, address: listen,
                end: { outbox.end(key: $0) }),
            events: events, plugins: plugins, limits: limits, calls: calls,
            reply: { outbox.send($0, $1, $2, .work) })
        var configuration = configuration
        configuration.limits = limits
        configuration.network = listen.map { SocketLoop.Network(address: $0, serverKey: serverKey, keys: ring) }
        let jobs = jobs
        loop = try SocketLoop(
            lock: lock, configuration: configuration, workBacklog: { jobs.count },
            handler: { message in
                if let refusal = access.refusal(of: message) {
                    let request = message.envelope.requestID
                    return outbox.send(
                        .failure(of: request, refusal.code, refusal.message, details: refusal.details), [], message.client,
                        message.channel)
                }
                switch message.channel {
                case .control: control.handle(message)
                case .work: work.handle(message)
                }
            },
            clientLost: { client, loss in
                logger.debug("client \(clients.name(of: client)) \(loss.rawValue)")
                control.lost(client)
            },
            sendsEvents: { process in
                guard let role = plugins.role(ofProcess: process) else { return true }
                return Role(rawValue: role.rawValue).map { $0 >= .ofEvents } ?? false
            },
            log: { logger.warning("\($0)") })
        outbox.connect(loop)
        let published = loop
        events.connect { [weak published] in published?.publish($0) }
    }

    /// Serves until a stop is asked for; then finishes what runs within the grace; what is cancelled then keeps its features.
    package func run() async throws {
        try loop.start()
        events.record("daemon.started", Self.version)
        try plugins.open()
        let resumed = try await workbench.resumeSessions(events: WorkRequests.publishing(events))
        if resumed > 0 { logger.info("\(resumed) sessions go on") }
        logger.info("serving \(workbench.registry.directory.root.path)")
        let sweeping = Task { [uploads] in
            while true {
                uploads.sweep()
                try await Task.sleep(for: .seconds(3600))
            }
        }
        let writing = Task { [usage] in
            while true {
                try await Task.sleep(for: UsageFile.interval)
                usage.write()
            }
        }
        defer {
            sweeping.cancel()
            writing.cancel()
        }
        let grace = await withGracefulShutdownHandler {
            await firstStop()
        } onGracefulShutdown: {
            self.requestStop.yield(.seconds(10))
        }
        try await stop(grace: grace)
    }

    private func firstStop() async -> Duration {
        // The sockets can also fail by themselves.
        let watch = Task { [loop, requestStop] in
            await loop.ended()
            requestStop.yield(.zero)
        }
        defer { watch.cancel() }
        for await grace in stopRequests { return grace }
        return .zero
    }

    private func stop(grace: Duration) async throws {
        events.record("daemon.stopping", Self.version)
        let running = jobs.close()
        plugins.endFollowing()
        if running > 0 { logger.info("waiting up to \(grace) for \(running) jobs") }
        let jobs = jobs, workbench = workbench
        // Each makes a checkpoint; the next daemon goes on with them.
        await workbench.suspendSessions()
        let deadline = Task {
            try await Task.sleep(for: grace)
            // What is cancelled now is recorded as interrupted; features extracted so far stay in the cache.
            workbench.beginStopping()
            jobs.cancelAll()
        }
        await jobs.drained()
        deadline.cancel()
        // While the sockets are open: each is told goodbye. They start again with the next daemon.
        await plugins.close()
        usage.write()
        await loop.stop(deadline: .seconds(2))
        outbox.disconnect()
        try await workbench.close()
        logger.info("stopped")
    }
}

/// Breaks the circle between the loop, which calls the handlers, and the handlers, which answer through the loop.
private final class Outbox: Sendable {
    private let loop = Mutex<SocketLoop?>(nil)

    func connect(_ loop: SocketLoop) { self.loop.withLock { $0 = loop } }
    func disconnect() { loop.withLock { $0 = nil } }

    func send(_ envelope: Hidra_V1_Envelope, _ tensors: [[UInt8]], _ client: ClientIdentity, _ channel: Channel) {
        loop.withLock { $0 }?.send(envelope, tensors: tensors, to: client, on: channel)
    }

    func forget(_ client: ClientIdentity) { loop.withLock { $0 }?.forget(client) }

    func expect(_ client: ClientIdentity, _ seconds: UInt32) {
        loop.withLock { $0 }?.expect(client, silentFor: .seconds(Int(seconds)))
    }

    func end(key: String) { loop.withLock { $0 }?.end(key: key) }
}
