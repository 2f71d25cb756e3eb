package import Foundation
import HidraProtocol
import Synchronization
import Tables
import ZeroMQ

/// A plugin as it is now.
package struct PluginStatus: Sendable {
    package let manifest: PluginManifest
    package let phase: PluginLife.Phase
    /// It has ended by itself, and well.
    package let isDone: Bool
    /// 0: it does not run.
    package let processID: Int32
    package let restarts: Int
    package let directory: String
    /// Seconds since 1970; 0: it does not run.
    package let started: Double
    package let residentBytes: Int
    package let problem: String
}

/// What people ask for.
extension PluginHost {
    package func list() -> [PluginStatus] {
        state.withLock { state in state.entries.keys.sorted().compactMap { status($0, state) } }
    }

    /// Answered when it has said hello.
    package func start(_ name: String) async throws -> PluginStatus {
        try change(name) { entry in
            entry.isWanted = true
            return { $0.start(.now) }
        }
        return try await running(name)
    }

    package func restart(_ name: String) async throws -> PluginStatus {
        try change(name) { entry in
            entry.isWanted = true
            return { $0.restart(.now) }
        }
        return try await running(name)
    }

    /// Answered when its process is gone.
    package func stop(_ name: String) async throws -> PluginStatus {
        try change(name) { entry in
            entry.isWanted = false
            return { $0.stop(.now, "stopped by hand") }
        }
        return try await settled(name)
    }

    /// Stops it and deletes all there is of it. Heads it made stay.
    package func remove(_ name: String) async throws -> PluginStatus {
        let last = try await stop(name)
        try claim(name)
        let folder = place(name).root
        do { try await onThread { try FileManager.default.removeItem(at: folder) } } catch {
            unclaim(name)
            throw PluginError(.internalError, "\(folder.path) cannot be removed: \(error.localizedDescription)")
        }
        state.withLock { $0.entries[name] = nil }
        logs.withLock { logs in
            logs[name]?.close()
            logs[name] = nil
        }
        event("plugin.removed", name, [:])
        return last
    }

    /// Copies a plugin from its folder. One that is replaced while it runs is stopped for a moment, and started again.
    package func install(_ source: URL, replace: Bool) async throws -> PluginStatus {
        let (staged, manifest) = try await onThread { [settings] in
            _ = try ManifestReader.read(folder: source)
            let staged = settings.staging.appending(path: "plugin-" + UUID().uuidString, directoryHint: .isDirectory)
            do {
                try PluginFolder.copy(source, to: staged)
                // The copy's, which nobody changes any more.
                return (staged, try Self.compatible(ManifestReader.read(folder: staged)))
            } catch {
                Self.discard(staged)
                throw error
            }
        }
        let name = manifest.name
        do {
            let exists = state.withLock { $0.entries[name] != nil }
            guard !exists || replace else {
                throw PluginError(
                    .alreadyExists, "There is a plugin \(name). With --replace the new one takes its place.", details: ["name": name])
            }
            let wasWanted = state.withLock { $0.entries[name]?.isWanted ?? false }
            if exists { _ = try await stop(name) }
            try claim(name, manifest)
            try await onThread { [self] in try put(staged, name) }
            unclaim(name, manifest)
            event("plugin.installed", name, ["version": manifest.version])
            if wasWanted {
                try change(name) { entry in
                    entry.isWanted = true
                    return { $0.start(.now) }
                }
            }
            return try state.withLock { state in try status(name, state) ?? { throw missing(name, state) }() }
        } catch {
            try await onThread { Self.discard(staged) }
            throw error
        }
    }

    /// Its last lines; and what it prints from now on, until `unfollow`.
    package func follow(_ name: String, lines: Int) throws -> (tail: [String], id: UInt64, lines: AsyncStream<[String]>) {
        try state.withLock { state in guard state.entries[name] != nil else { throw missing(name, state) } }
        return try logs.withLock { logs in
            guard let tail = logs[name]?.tail(lines), let feed = logs[name]?.follow() else { throw PluginError(.notFound, "It is being removed.") }
            return (tail, feed.id, feed.lines)
        }
    }

    /// - Returns: how many lines were left out since the daemon's start.
    @discardableResult
    package func unfollow(_ name: String, _ id: UInt64) -> Int {
        logs.withLock { logs in
            logs[name]?.unfollow(id)
            return logs[name]?.dropped ?? 0
        }
    }

    /// Ends all that `follow` gave.
    package func endFollowing() {
        logs.withLock { logs in
            for name in logs.keys { for id in logs[name]!.followers.keys { logs[name]!.unfollow(id) } }
        }
    }

    // MARK: - Waiting

    private func change(
        _ name: String, _ prepare: (inout Entry) -> (inout PluginLife) -> [PluginLife.Action]
    ) throws {
        try state.withLock { state in
            guard state.phase == .open else { throw PluginError(.interrupted, "The daemon is stopping.") }
            guard state.entries[name] != nil else { throw missing(name, state) }
            guard !state.entries[name]!.isChanging else {
                throw PluginError(.conflict, "Plugin \(name) is just being installed or removed. Try again.")
            }
            let step = prepare(&state.entries[name]!)
            state.apply(name, step)
        }
        remember(name)
        wake.signal()
    }

    /// Waits until it runs, or has already done what it wanted, or is known not to.
    private func running(_ name: String) async throws -> PluginStatus {
        let status = try await settled(name)
        if status.phase == .running || status.isDone { return status }
        let tail = logs.withLock { $0[name]?.tail(6) ?? [] }
        let again = status.phase == .waiting ? " It is tried again; `hidra plugin stop \(name)` ends that." : ""
        throw PluginError(
            .unavailable,
            "Plugin \(name) did not start: \(status.problem.isEmpty ? "it was stopped" : status.problem).\(again) The end of its log "
                + "(`hidra plugin logs \(name)`):\n" + tail.joined(separator: "\n"),
            details: ["name": name, "problem": status.problem])
    }

    /// Waits until nothing is under way, or nobody wants to know any more.
    private func settled(_ name: String) async throws -> PluginStatus {
        while true {
            let found = try state.withLock { state -> PluginStatus? in
                guard let entry = state.entries[name] else { throw missing(name, state) }
                return entry.isSettled || state.phase == .ended ? status(name, state) : nil
            }
            if let found { return found }
            try Task.checkCancellation()
            let id = state.withLock { state in
                state.lastWaiter += 1
                return state.lastWaiter
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let mustWait = state.withLock { state in
                        guard let entry = state.entries[name], !entry.isSettled, state.phase != .ended, !Task.isCancelled else { return false }
                        state.entries[name]?.waiters[id] = continuation
                        return true
                    }
                    if !mustWait { continuation.resume() }
                }
            } onCancel: {
                let waiter = state.withLock { $0.entries[name]?.waiters.removeValue(forKey: id) }
                waiter?.resume()
            }
        }
    }

    // MARK: - Files

    private static func compatible(_ manifest: PluginManifest) throws -> PluginManifest {
        let ours = ProtocolVersion.supported
        guard ours.overlaps(manifest.protocolRange) else {
            throw PluginError(
                .incompatibleVersion,
                "Plugin \(manifest.name) speaks protocol \(manifest.protocolRange.lowerBound) to \(manifest.protocolRange.upperBound), this "
                    + "daemon \(ours.lowerBound) to \(ours.upperBound). Update the older of the two.")
        }
        return manifest
    }

    /// Puts the staged folder in its place.
    private func put(_ staged: URL, _ name: String) throws {
        let place = place(name), old = settings.staging.appending(path: "plugin-old-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: place.root, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if FileManager.default.fileExists(atPath: place.package.path) { try FileManager.default.moveItem(at: place.package, to: old) }
        try FileManager.default.moveItem(at: staged, to: place.package)
        Self.discard(old)
    }

    /// The staging folder is emptied at the next start anyway.
    private static func discard(_ folder: URL) {
        do { try FileManager.default.removeItem(at: folder) } catch { return }
    }

    /// Nobody else may change it until `unclaim`.
    private func claim(_ name: String, _ new: PluginManifest? = nil) throws {
        try state.withLock { state in
            guard state.phase == .open else { throw PluginError(.interrupted, "The daemon is stopping.") }
            if state.entries[name] == nil, let new { state.entries[name] = Entry(manifest: new, life: PluginLife(timing: settings.timing)) }
            guard let entry = state.entries[name], !entry.isChanging, !entry.life.isWanted else {
                throw PluginError(.conflict, "Plugin \(name) is just being installed, started or removed. Try again.")
            }
            state.entries[name]?.isChanging = true
        }
    }

    private func unclaim(_ name: String, _ new: PluginManifest? = nil) {
        state.withLock { state in
            if let new { state.entries[name] = Entry(manifest: new, life: PluginLife(timing: settings.timing)) }
            state.entries[name]?.isChanging = false
        }
        let root = place(name).root
        logs.withLock { logs in if logs[name] == nil { logs[name] = PluginLog(folder: root) } }
    }

    /// Writes down what the next daemon must know.
    func remember(_ name: String) {
        // One at a time, so that what is written last is what is true.
        writing.withLock { _ in
            guard let record = state.withLock({ state in
                state.entries[name].map { PluginRecord(isWanted: $0.isWanted, token: $0.token) }
            }) else { return }
            do { try record.write(place(name).state) } catch {
                note("plugin \(name): its state cannot be written: \(error.localizedDescription)")
            }
        }
    }

    private func status(_ name: String, _ state: State) -> PluginStatus? {
        guard let entry = state.entries[name] else { return nil }
        return PluginStatus(
            manifest: entry.manifest, phase: entry.life.phase, isDone: entry.life.isDone, processID: entry.processID, restarts: entry.life.restarts,
            directory: place(name).package.path, started: entry.started, residentBytes: entry.bytes, problem: entry.life.problem)
    }

    private func missing(_ name: String, _ state: State) -> PluginError {
        let guess = nearest(name, in: state.entries.keys.sorted())
        var details = ["name": name]
        details["suggestion"] = guess
        return PluginError(
            .notFound,
            "There is no plugin '\(name.prefix(80))'." + (guess.map { " Did you mean `\($0)`?" } ?? " `hidra plugin ls` lists them; "
                + "`hidra plugin install DIR` adds one."), details: details)
    }

    /// Runs what blocks on a thread of its own.
    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try OwnedThread.start("hidra-plugin-io") { continuation.resume(with: Result { try body() }) }
            } catch {
                continuation.resume(throwing: PluginError(.internalError, "No thread could be started: \(error)"))
            }
        }
    }
}
