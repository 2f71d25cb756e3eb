package import Foundation
import HidraProtocol
import Synchronization
import ZeroMQ

/// Installs plugins, runs each in a process of its own, and starts again what crashes, within bounds. See `PluginLife` for when.
///
/// Everything on disk lies in the host's folder, for each plugin `NAME/package` (its files), `NAME/log`, and `NAME/state`. One thread
/// starts and ends the processes and reads what they print; whatever they do, it costs that thread a bounded amount of work.
package final class PluginHost: Sendable {
    package struct Settings: Sendable {
        /// Where the plugins are installed.
        package var folder: URL
        /// On the same file system; emptied at every start.
        package var staging: URL
        /// The daemon's, for the plugins' environment.
        package var home: String
        /// The daemon's own environment, of which plugins get next to nothing.
        package var environment: [String: String]
        package var timing = PluginLife.Timing()

        package init(folder: URL, staging: URL, home: String, environment: [String: String]) {
            (self.folder, self.staging, self.home, self.environment) = (folder, staging, home, environment)
        }
    }

    /// What a connection has that came with a plugin's token.
    package struct Pass: Sendable, Hashable {
        package let plugin: String
        package let role: PluginManifest.Role
        let connection: UInt64
    }

    struct Connection {
        let sayGoodbye: @Sendable (String) -> Void
        /// How long it may be silent; nil: for ever.
        let silence: Duration?
        var lastHeard: ContinuousClock.Instant
    }

    struct Entry {
        var manifest: PluginManifest
        var life: PluginLife
        /// To run whenever the daemon does.
        var isWanted = false
        /// Of the process that runs.
        var token: String?
        var processID: pid_t = 0
        var started = 0.0
        var bytes = 0
        var connections: [UInt64: Connection] = [:]
        /// Since when it runs without any connection.
        var aloneSince: ContinuousClock.Instant?
        /// Actions that the host's thread has not yet done.
        var pending = 0
        /// For `isSettled`.
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        /// Being replaced or removed.
        var isChanging = false

        /// Nothing is under way.
        var isSettled: Bool { pending == 0 && life.phase != .starting && life.phase != .stopping }
    }

    enum Phase { case idle, open, closing, ended }

    struct State {
        var entries: [String: Entry] = [:]
        var actions: [(name: String, action: PluginLife.Action)] = []
        var lastConnection: UInt64 = 0
        var lastWaiter: UInt64 = 0
        var phase = Phase.idle
        var endWaiters: [CheckedContinuation<Void, Never>] = []
    }

    let settings: Settings
    let event: @Sendable (_ name: String, _ plugin: String, _ values: [String: String]) -> Void
    let note: @Sendable (String) -> Void
    let state: Mutex<State>
    let logs: Mutex<[String: PluginLog]>
    let wake: WakeFD
    /// Guards the records on disk.
    let writing = Mutex(())

    /// Takes in what is installed, and ends what a daemon that was killed has left running.
    ///
    /// - Parameters:
    ///   - event: told what happens to plugins, in the words of the protocol's events.
    ///   - note: told what is wrong, for the log.
    package init(
        _ settings: Settings, event: @escaping @Sendable (String, String, [String: String]) -> Void,
        note: @escaping @Sendable (String) -> Void
    ) throws {
        (self.settings, self.event, self.note) = (settings, event, note)
        do {
            wake = try WakeFD()
            try FileManager.default.createDirectory(
                at: settings.folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw PluginError(.internalError, "The folder of the plugins, \(settings.folder.path), cannot be used: \(error)")
        }
        var entries: [String: Entry] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: settings.folder.path).sorted() where PluginManifest.isName(name) {
            let place = Place(settings.folder, name)
            let record = PluginRecord.read(place.state)
            if let token = record.token { ProcessFamily.killAll(token: token) }
            do {
                let manifest = try ManifestReader.read(folder: place.package)
                guard manifest.name == name else { throw PluginError(.corrupt, "\(place.package.path) calls itself \(manifest.name)") }
                entries[name] = Entry(manifest: manifest, life: PluginLife(timing: settings.timing), isWanted: record.isWanted)
            } catch let error as PluginError {
                note("plugin \(name) is left out: \(error.message)")
            }
        }
        let folder = settings.folder
        logs = Mutex(entries.mapValues { PluginLog(folder: Place(folder, $0.manifest.name).root) })
        state = Mutex(State(entries: entries))
    }

    /// Starts the thread, and the plugins that ran when the last daemon ended.
    package func open() throws {
        let now = ContinuousClock.now
        state.withLock { state in
            state.phase = .open
            for (name, entry) in state.entries where entry.isWanted { state.apply(name) { $0.start(now) } }
        }
        do { try OwnedThread.start("hidra-plugins") { [self] in
            var thread = HostThread(self)
            thread.run()
        } } catch {
            state.withLock { $0.phase = .ended }
            throw PluginError(.internalError, "The thread for the plugins could not be started: \(error)")
        }
    }

    /// Ends all plugins, each within its graces; they start again with the next daemon.
    package func close() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.phase == .open || state.phase == .closing else { return true }
                state.phase = .closing
                for name in state.entries.keys { state.apply(name) { $0.stop(ContinuousClock.now, "the daemon is stopping") } }
                state.endWaiters.append(continuation)
                return false
            }
            if isOver { continuation.resume() } else { wake.signal() }
        }
    }

    // MARK: - Connections

    /// A client has said hello with a plugin's token. Nil when no plugin that runs has that token.
    ///
    /// - Parameters:
    ///   - heartbeat: the longest it promised to be silent; nil: it promised nothing.
    ///   - sayGoodbye: to it, with the reason.
    package func greeted(
        token: String, heartbeat: Duration?, sayGoodbye: @escaping @Sendable (String) -> Void
    ) -> Pass? {
        let now = ContinuousClock.now
        let pass = state.withLock { state -> Pass? in
            guard let name = state.name(token: token), var entry = state.entries[name] else { return nil }
            state.lastConnection += 1
            entry.connections[state.lastConnection] = Connection(
                sayGoodbye: sayGoodbye, silence: heartbeat.map { $0 * 3 }, lastHeard: now)
            entry.aloneSince = nil
            state.entries[name] = entry
            state.apply(name) { $0.greeted(now) }
            return Pass(plugin: name, role: entry.manifest.role, connection: state.lastConnection)
        }
        if pass != nil { wake.signal() }
        return pass
    }

    /// What a client with this token may do; nil when no plugin that runs has it.
    package func role(forPluginToken token: String) -> PluginManifest.Role? {
        state.withLock { state in state.name(token: token).flatMap { state.entries[$0]?.manifest.role } }
    }

    /// What a plugin's process may do, by the token in its environment; nil for one that is no plugin's.
    package func role(ofProcess process: pid_t) -> PluginManifest.Role? {
        ProcessFamily.token(of: process).flatMap { role(forPluginToken: $0) }
    }

    /// The connection has sent something.
    package func heard(_ pass: Pass) {
        state.withLock { $0.entries[pass.plugin]?.connections[pass.connection]?.lastHeard = .now }
    }

    /// The connection is gone. The plugin may make another; without any for as long as a hello may take, it is started again.
    package func lost(_ pass: Pass) {
        state.withLock { state in
            state.entries[pass.plugin]?.connections[pass.connection] = nil
            if state.entries[pass.plugin]?.connections.isEmpty == true { state.entries[pass.plugin]?.aloneSince = .now }
        }
    }

    // MARK: - Places

    /// Where a plugin's files are.
    struct Place {
        let root, package, state: URL

        init(_ folder: URL, _ name: String) {
            root = folder.appending(path: name, directoryHint: .isDirectory)
            package = root.appending(path: "package", directoryHint: .isDirectory)
            state = root.appending(path: "state")
        }
    }

    func place(_ name: String) -> Place { Place(settings.folder, name) }
}

extension PluginHost.State {
    /// Feeds a plugin's life, and leaves what is to be done to the host's thread.
    mutating func apply(_ name: String, _ step: (inout PluginLife) -> [PluginLife.Action]) {
        guard entries[name] != nil else { return }
        let steps = step(&entries[name]!.life)
        entries[name]!.pending += steps.count
        actions += steps.map { (name, $0) }
    }

    func name(token: String) -> String? {
        guard !token.isEmpty else { return nil }
        return entries.first { $0.value.token == token }?.key
    }
}
