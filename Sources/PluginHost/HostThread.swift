import Foundation
import Glibc
import Synchronization
import ZeroMQ

/// What the host's thread owns: the processes, and what they print. Never leaves it.
struct HostThread {
    private let host: PluginHost
    private var processes: [String: PluginProcess] = [:]
    private var intakes: [String: LogIntake] = [:]
    private var nextLook = ContinuousClock.now
    private var nextRead = ContinuousClock.now
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// What processes use and whether they are silent is looked at so often.
    private static let lookInterval = Duration.seconds(1)
    /// Outputs are read so often at most, 64 KiB of each: a plugin that prints more waits, and costs no more than this.
    private static let readInterval = Duration.milliseconds(10)

    init(_ host: PluginHost) { self.host = host }

    mutating func run() {
        while true {
            for (name, action) in due() {
                perform(name, action)
                finish(name)
            }
            let isOver = host.state.withLock { $0.phase == .closing && processes.isEmpty && $0.actions.isEmpty }
            if isOver { break }
            wait()
            readOutputs()
            reapEnded()
            look()
        }
        host.logs.withLock { logs in for name in logs.keys { logs[name]?.close() } }
        let waiters = host.state.withLock { state in
            state.phase = .ended
            defer { state.endWaiters = [] }
            return state.endWaiters + state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    private func due() -> [(name: String, action: PluginLife.Action)] {
        let now = ContinuousClock.now
        return host.state.withLock { state in
            for name in state.entries.keys { state.apply(name) { $0.tick(now) } }
            defer { state.actions = [] }
            return state.actions
        }
    }

    // MARK: - Doing

    private mutating func perform(_ name: String, _ action: PluginLife.Action) {
        switch action {
        case .spawn: spawn(name)
        case .sayGoodbye(let reason):
            let connections = host.state.withLock { $0.entries[name]?.connections.values.map(\.sayGoodbye) ?? [] }
            for sayGoodbye in connections { sayGoodbye(reason) }
        case .terminate: processes[name]?.signal(SIGTERM)
        case .kill: processes[name]?.signal(SIGKILL)
        case .report(let report): tell(name, report)
        }
    }

    private mutating func spawn(_ name: String) {
        let token = (0..<4).map { _ in String(UInt64.random(in: 0...(.max)), radix: 16) }.joined()
        let manifest = host.state.withLock { state in
            state.entries[name]?.token = token
            return state.entries[name]?.manifest
        }
        guard let manifest else { return }
        // Before it runs: a daemon that dies in between must leave a trace of it.
        host.remember(name)
        do {
            let process = try PluginProcess.start(
                manifest, folder: host.place(name).package, environment: environment(manifest.name, token))
            processes[name] = process
            intakes[name] = LogIntake(.now)
            log(name, ["--- started, process \(process.id)"])
            host.state.withLock { state in
                state.entries[name]?.processID = process.id
                state.entries[name]?.started = process.startedAt
            }
        } catch {
            host.state.withLock { state in
                state.entries[name]?.token = nil
                state.apply(name) { $0.spawnFailed(error.message) }
            }
            log(name, ["--- not started: \(error.message)"])
            host.wake.signal()
        }
    }

    /// All a plugin gets to know.
    private func environment(_ name: String, _ token: String) -> [String: String] {
        let own = host.settings.environment
        var environment = [
            "PATH": own["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", "HOME": own["HOME"] ?? "/", "LANG": own["LANG"] ?? "C.UTF-8",
            "TMPDIR": own["TMPDIR"] ?? "/tmp",
        ]
        environment["HIDRA_HOME"] = host.settings.home
        environment["HIDRA_PLUGIN_NAME"] = name
        environment[ProcessFamily.tokenVariable] = token
        return environment
    }

    private func tell(_ name: String, _ report: PluginLife.Report) {
        let process = host.state.withLock { $0.entries[name]?.processID ?? 0 }
        switch report {
        case .started: host.event("plugin.started", name, ["process": "\(process)"])
        case .stopped:
            // One that ended by itself is done; one that the daemon ends is wanted again by the next.
            host.state.withLock { state in if state.phase == .open { state.entries[name]?.isWanted = false } }
            log(name, ["--- stopped"])
            host.event("plugin.stopped", name, [:])
        case .restarting(let why, let delay):
            log(name, ["--- \(why); starts again in \(delay.seconds) s"])
            host.event("plugin.restarting", name, ["message": why, "seconds": delay.seconds])
        case .failed(let why):
            log(name, ["--- \(why); it is not started again"])
            host.event("plugin.failed", name, ["message": why])
        }
        host.remember(name)
    }

    /// Tells those who wait for the plugin when there is nothing more to do.
    private func finish(_ name: String) {
        let waiters = host.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.entries[name]?.pending -= 1
            return state.entries[name]?.isSettled == true ? state.takeWaiters(of: name) : []
        }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: - Watching

    private mutating func wait() {
        var items = [pollfd(fd: host.wake.descriptor, events: Int16(POLLIN), revents: 0)]
        let now = ContinuousClock.now
        let isReading = nextRead <= now
        for process in processes.values {
            items.append(pollfd(fd: process.watch, events: Int16(POLLIN), revents: 0))
            // Not while it is too early to read: an output that is always full must not keep this thread busy.
            if isReading && !closedOutputs.contains(process.output) {
                items.append(pollfd(fd: process.output, events: Int16(POLLIN), revents: 0))
            }
        }
        var next = host.state.withLock { $0.entries.values.compactMap(\.life.deadline).min() }
        if !processes.isEmpty { next = min(next ?? nextLook, nextLook) }
        if !isReading { next = min(next ?? nextRead, nextRead) }
        let wait = next.map { max(Int32(0), Int32(clamping: Int((($0 - now) / .milliseconds(1)).rounded(.up)))) }
        _ = poll(&items, nfds_t(items.count), wait ?? -1)
        if items[0].revents != 0 { host.wake.drain() }
    }

    /// Outputs that every process of the plugin has closed: they would poll readable for ever.
    private var closedOutputs: Set<Int32> = []

    private mutating func readOutputs() {
        let now = ContinuousClock.now
        guard nextRead <= now else { return }
        var hasRead = false
        for (name, process) in processes where read(name, process, now) { hasRead = true }
        if hasRead { nextRead = now + Self.readInterval }
    }

    /// Takes what is there, up to a buffer; false when there was nothing.
    private mutating func read(_ name: String, _ process: PluginProcess, _ now: ContinuousClock.Instant) -> Bool {
        guard !closedOutputs.contains(process.output) else { return false }
        let count = buffer.withUnsafeMutableBytes { Glibc.read(process.output, $0.baseAddress, $0.count) }
        guard count > 0 else {
            if count == 0 { closedOutputs.insert(process.output) }
            return false
        }
        let before = intakes[name]?.dropped ?? 0
        let lines = buffer.withUnsafeBytes { intakes[name]?.lines(UnsafeRawBufferPointer(rebasing: $0[..<count]), now) ?? [] }
        log(name, lines, dropped: (intakes[name]?.dropped ?? 0) - before)
        return true
    }

    private mutating func reapEnded() {
        for (name, process) in processes {
            guard let (status, how) = process.reap() else { continue }
            // What it printed last; a child that got away may hold its output, and is not waited for.
            for _ in 0..<16 where read(name, process, .now) {}
            log(name, intakes[name]?.last() ?? [])
            Glibc.close(process.output)
            closedOutputs.remove(process.output)
            (processes[name], intakes[name]) = (nil, nil)
            let token = host.state.withLock { state in
                let token = state.entries[name]?.token
                state.entries[name]?.token = nil
                state.entries[name]?.processID = 0
                state.entries[name]?.started = 0
                state.entries[name]?.bytes = 0
                state.entries[name]?.connections = [:]
                state.entries[name]?.aloneSince = nil
                return token
            }
            if let token { ProcessFamily.killAll(token: token) }
            host.state.withLock { state in state.apply(name) { $0.exited(status: status, how, .now) } }
            host.wake.signal()
        }
    }

    /// Ends what uses more than it may, or has gone silent.
    private mutating func look() {
        let now = ContinuousClock.now
        guard nextLook <= now, !processes.isEmpty else { return }
        nextLook = now + Self.lookInterval
        let uses = ProcessFamily.use(of: Set(processes.values.map(\.id)))
        for (name, process) in processes {
            let use = uses[process.id] ?? ProcessFamily.Use()
            let fault = host.state.withLock { state -> String? in
                guard let entry = state.entries[name] else { return nil }
                state.entries[name]?.bytes = use.bytes
                return Self.fault(entry, use, now, host.settings.timing.hello)
            }
            guard let fault else { continue }
            host.state.withLock { state in state.apply(name) { $0.misbehaved(fault) } }
            host.wake.signal()
        }
    }

    private static func fault(
        _ entry: PluginHost.Entry, _ use: ProcessFamily.Use, _ now: ContinuousClock.Instant, _ patience: Duration
    ) -> String? {
        let limits = entry.manifest.limits
        if use.bytes > limits.memoryBytes { return "it and its children used \(use.bytes >> 20) MB of memory, more than \(limits.memoryBytes >> 20) MB" }
        if use.processes > limits.processes { return "it had \(use.processes) processes, more than \(limits.processes)" }
        guard entry.life.phase == .running else { return nil }
        for connection in entry.connections.values {
            if let silence = connection.silence, now - connection.lastHeard > silence { return "it was silent for \(silence.seconds) s" }
        }
        if let alone = entry.aloneSince, now - alone > patience { return "it had no connection for \(patience.seconds) s" }
        return nil
    }

    private func log(_ name: String, _ lines: [String], dropped: Int = 0) {
        guard !lines.isEmpty || dropped > 0 else { return }
        host.logs.withLock { $0[name]?.append(lines, dropped: dropped) }
    }
}

extension PluginHost.State {
    mutating func takeWaiters(of name: String) -> [CheckedContinuation<Void, Never>] {
        defer { entries[name]?.waiters = [:] }
        return entries[name].map { Array($0.waiters.values) } ?? []
    }

    mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
        entries.keys.sorted().flatMap { takeWaiters(of: $0) }
    }
}
