public import HidraProtocol
internal import Glibc
internal import Synchronization

/// A connection to `hidrad`, for any number of requests at a time.
///
///     let client = try await HidraClient.connect(client: "my-program 1.0")
///     let reply = try await client.predict(heads: ["intent"], texts: ["my card has not arrived"])
///     await client.close()
///
/// Every request can be cancelled by cancelling its task: the daemon is told, and the request throws
/// `CancellationError` at once. All other failures are `HidraError`s. A request fails with `timeout` when the daemon
/// shows no sign of life (no reply, no progress, no answer to heartbeats); to limit the whole time, set `deadline`.
///
/// A lost connection stays lost: requests then fail with `unavailable`; connect again.
public final class HidraClient: Sendable {
    /// When requests made in this scope are given up, however alive the daemon is.
    ///
    ///     try await HidraClient.$deadline.withValue(.now + .seconds(60)) { try await client.train(request) }
    @TaskLocal public static var deadline: ContinuousClock.Instant?

    /// What the daemon said of itself: version, limits, capabilities.
    public let welcome: Hidra_V1_Welcome
    /// What the daemon takes.
    public let limits: Limits
    let connection: Connection

    private init(_ connection: Connection, _ welcome: Hidra_V1_Welcome) {
        (self.connection, self.welcome) = (connection, welcome)
        limits = Limits(welcome.limits)
    }

    deinit { connection.beginClosing() }

    /// Connects; starts `hidrad` when none answers and `startDaemon` is true (`$HIDRA_DAEMON`, or the one beside the
    /// executable, or in `PATH`).
    ///
    /// - Parameters:
    ///   - home: of a daemon on this machine; nil: as `HIDRA_SERVER` and `HIDRA_KEY` say, or else the default home.
    ///   - remote: a daemon on another machine; it is never started.
    ///   - client: name and version of the program, for `hidra ps` and the log.
    ///   - timeout: for all of it, the daemon's start included.
    ///   - silence: how long the daemon may later owe a sign of life.
    ///   - heartbeat: the longest this client is silent itself; after three times that the daemon gives it up. nil: `HIDRA_HEARTBEAT`, in
    ///     seconds, or else 10 seconds.
    /// - Throws: `unavailable` when there is no daemon or it did not start (with what it printed),
    ///   `incompatibleVersion`, `timeout`.
    public static func connect(
        home: Home? = nil, remote: RemoteDaemon? = nil, client: String, startDaemon: Bool = true,
        timeout: Duration = .seconds(10), silence: Duration = .seconds(30), heartbeat: Duration? = nil
    ) async throws -> HidraClient {
        let deadline = ContinuousClock.now + timeout
        var greeting = Greeting(
            client: client, deadline: deadline, silence: silence, heartbeat: try heartbeat ?? Greeting.promised())
        if let remote = try remote ?? (home == nil ? RemoteDaemon.named() : nil) {
            return try await greet(Destination(remote), greeting) { farAway(remote) }
        }
        let home = home ?? .default
        greeting.takesToken = home == .default
        do {
            return try await greet(home, greeting)
        } catch let error as HidraError where error.code == .unavailable && startDaemon {
            let process = try await DaemonProcess.start(home, executable: try DaemonLocator.find())
            return try await wait(for: process, home, greeting)
        }
    }

    /// Says goodbye and closes the connection. Requests still open fail.
    public func close() async {
        connection.beginClosing()
        await connection.ended()
    }

    /// One attempt at the daemon of this machine.
    private static func greet(_ home: Home, _ greeting: Greeting) async throws -> HidraClient {
        let endpoints = Endpoints.current(home)
        do {
            guard try endpoints.checkDirectory() else {
                throw HidraError(.unavailable, "No hidrad runs for \(home.path). Start it with `hidra start`.")
            }
        } catch let error as DirectoryError {
            throw HidraError(error.code, error.message)
        }
        return try await greet(Destination(endpoints), greeting) { silent(home) }
    }

    /// One attempt: sockets, Hello, Welcome.
    ///
    /// - Parameter silent: the error when nobody has answered in time.
    private static func greet(
        _ destination: Destination, _ greeting: Greeting, silent: () -> HidraError
    ) async throws -> HidraClient {
        let connection = try Connection(destination, silence: greeting.silence)
        do {
            connection.state.withLock { $0.heartbeat = greeting.interval(welcome: nil) }
            let reply = try await connection.request(
                .hello(greeting.hello), on: .control, limit: Limits.controlMessageBytes, deadline: greeting.deadline)
            guard case .welcome(let welcome) = reply.envelope.kind else { throw Connection.unexpectedReply }
            guard ProtocolVersion.supported.contains(welcome.protocol) else { throw mismatch(welcome) }
            connection.state.withLock { $0.heartbeat = greeting.interval(welcome: welcome) }
            connection.wakeUp()
            return HidraClient(connection, welcome)
        } catch {
            // Nobody has greeted us, so nobody waits for a goodbye.
            connection.beginClosing(patience: .zero)
            await connection.ended()
            if let error = error as? HidraError, error.code == .timeout { throw silent() }
            throw error
        }
    }

    /// Attempts until the daemon just started answers, or is known not to.
    private static func wait(
        for process: DaemonProcess, _ home: Home, _ greeting: Greeting
    ) async throws -> HidraClient {
        let deadline = greeting.deadline
        while true {
            try await Task.sleep(for: .milliseconds(5))
            let status = process.status
            // An attempt while only some of its sockets are bound would wait for the others in vain.
            if status == .running, !Endpoints.current(home).areBound, deadline > .now { continue }
            do {
                return try await greet(home, greeting)
            } catch let error as HidraError where error.code == .unavailable {
                // One that lost a race against another start leaves the other: keep trying.
                let lostRace = status == .exited(ErrorCode.alreadyRunning.exitCode)
                if status != .running, !lostRace { throw failed(process, "stopped at once", home) }
                if deadline <= .now { throw failed(process, "did not answer in time", home) }
            }
        }
    }

    private static func farAway(_ remote: RemoteDaemon) -> HidraError {
        HidraError(
            .timeout,
            "hidrad at \(remote.address) did not answer in time. Nothing lets packets through to it, or it has another key than the one "
                + "the file \(remote.key.name.isEmpty ? "" : "of '\(remote.key.name)' ")names.")
    }

    private static func failed(_ process: DaemonProcess, _ what: String, _ home: Home) -> HidraError {
        let log = process.logTail().map { ":\n\($0)" } ?? " and printed nothing."
        return HidraError(
            .unavailable, "\(process.executable) was started but \(what)\(log)", details: ["log": home.logPath])
    }

    private static func silent(_ home: Home) -> HidraError {
        let process = DaemonRecord.read(home).map { " (process \($0.processID))" } ?? ""
        return HidraError(
            .timeout,
            "hidrad\(process) listens but did not answer in time. If it stays so, end that process; the next command "
                + "starts a new one.")
    }

    private static func mismatch(_ welcome: Hidra_V1_Welcome) -> HidraError {
        let ours = ProtocolVersion.supported
        return HidraError(
            .incompatibleVersion,
            "hidrad \(welcome.daemonVersion) speaks protocol \(welcome.protocolMin) to \(welcome.protocolMax), this "
                + "program \(ours.lowerBound) to \(ours.upperBound). Stop it with `hidra stop` and install one version of "
                + "both.",
            details: ["daemon_version": welcome.daemonVersion])
    }

    /// Sends a request and takes its reply apart.
    func ask<Reply>(
        _ kind: Hidra_V1_Envelope.OneOf_Kind, tensors: [(Hidra_V1_TensorFrame, [UInt8])] = [], on channel: Channel,
        progress: (@Sendable (Hidra_V1_Progress) -> Void)? = nil, call: (@Sendable (WireMessage) -> Void)? = nil,
        _ extract: (WireMessage) -> Reply?
    ) async throws -> Reply {
        let limit = channel == .control ? Limits.controlMessageBytes : limits.messageBytes
        let message = try await connection.request(
            kind, tensors: tensors, on: channel, limit: limit, progress: progress, deadline: Self.deadline, call: call)
        guard let reply = extract(message) else { throw Connection.unexpectedReply }
        return reply
    }
}
