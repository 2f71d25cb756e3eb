package import HidraProtocol

/// The open requests of a connection: a synchronous state machine without threads or clocks of its own.
///
/// Each request's completion leaves the table exactly once: by a reply, a cancellation, its deadline, silence, or
/// `failAll`. Whoever takes it out calls it.
package struct RequestTable {
    package typealias Instant = ContinuousClock.Instant
    package typealias Completion = @Sendable (Result<WireMessage, any Error>) -> Void

    package struct Request: Sendable {
        package var completion: Completion
        package var progress: (@Sendable (Hidra_V1_Progress) -> Void)?
        package var deadline: Instant?
        /// What the daemon asks this program to do for the request; and what else it streams that is no progress.
        package var call: (@Sendable (WireMessage) -> Void)?

        package init(
            completion: @escaping Completion, progress: (@Sendable (Hidra_V1_Progress) -> Void)? = nil,
            deadline: Instant? = nil, call: (@Sendable (WireMessage) -> Void)? = nil
        ) {
            (self.completion, self.progress, self.deadline, self.call) = (completion, progress, deadline, call)
        }
    }

    package enum Outcome {
        case ignore
        case finish(Completion, Result<WireMessage, any Error>)
        case progress(@Sendable (Hidra_V1_Progress) -> Void, Hidra_V1_Progress)
        case call(@Sendable (WireMessage) -> Void, WireMessage)
        /// The request was cancelled here, but the daemon works on it: the first cancellation came too early.
        case cancelAgain(UInt64)
    }

    package struct Expired {
        package var id: UInt64
        package var completion: Completion
        package var error: HidraError
        /// The daemon is alive and should be told to stop.
        package var tellsDaemon: Bool
    }

    private enum Entry {
        case reserved
        case cancelledBeforeOpen
        case open(Request)
    }

    private var entries: [UInt64: Entry] = [:]
    /// Cancelled requests whose last reply has not come.
    private var abandoned: Set<UInt64> = []
    private var lastID: UInt64 = 0
    /// When the first message was sent after the last one was heard: the daemon has owed a sign of life since.
    private var silentSince: Instant?

    package init() {}

    /// A new request id. Follow with `open` or `release`.
    package mutating func reserve() -> UInt64 {
        lastID += 1
        entries[lastID] = .reserved
        return lastID
    }

    /// An id for a message whose reply nobody waits for.
    package mutating func idWithoutReply() -> UInt64 {
        lastID += 1
        return lastID
    }

    package mutating func release(_ id: UInt64) { entries[id] = nil }

    /// False when the request was cancelled before it came to this; the id is then released.
    package mutating func open(_ id: UInt64, _ request: Request) -> Bool {
        if case .reserved = entries[id] {
            entries[id] = .open(request)
            return true
        }
        entries[id] = nil
        return false
    }

    /// The caller no longer wants the reply. Returns the completion if the request was open.
    package mutating func cancel(_ id: UInt64) -> Completion? {
        switch entries[id] {
        case .reserved:
            entries[id] = .cancelledBeforeOpen
            return nil
        case .open(let request):
            entries[id] = nil
            abandon(id)
            return request.completion
        case .cancelledBeforeOpen, nil:
            return nil
        }
    }

    package mutating func receive(_ message: WireMessage) -> Outcome {
        silentSince = nil
        let id = message.envelope.requestID
        guard case .open(let request) = entries[id] else {
            if abandoned.remove(id) != nil, message.envelope.isPartial { return .cancelAgain(id) }
            return .ignore
        }
        if message.envelope.isPartial {
            switch message.envelope.kind {
            case .progress(let progress): return request.progress.map { .progress($0, progress) } ?? .ignore
            case .call, .pluginLog, .predictReply, .sessionProgress: return request.call.map { .call($0, message) } ?? .ignore
            default: return .ignore
            }
        }
        entries[id] = nil
        if case .error(let error) = message.envelope.kind {
            return .finish(request.completion, .failure(HidraError(error)))
        }
        return .finish(request.completion, .success(message))
    }

    package mutating func sent(_ now: Instant) { silentSince = silentSince ?? now }

    /// Takes out what has waited too long: past its own deadline, or, all of them, when the daemon owes a sign of life
    /// for longer than `silence`.
    package mutating func expire(_ now: Instant, silence: Duration) -> [Expired] {
        var expired: [Expired] = []
        let isSilent = silentSince.map { now - $0 > silence } ?? false
        for (id, entry) in entries {
            guard case .open(let request) = entry else { continue }
            if isSilent {
                let error = HidraError(
                    .timeout,
                    "hidrad has not answered for \(silence.seconds) s. Is it stopped or overloaded? `hidra status` asks "
                        + "again; its log is hidrad.log in the home directory.")
                expired.append(Expired(id: id, completion: request.completion, error: error, tellsDaemon: false))
            } else if let deadline = request.deadline, deadline <= now {
                let error = HidraError(
                    .timeout, "The request took longer than it was given and was cancelled. Allow it more time.")
                expired.append(Expired(id: id, completion: request.completion, error: error, tellsDaemon: true))
            }
        }
        for request in expired {
            entries[request.id] = nil
            if request.tellsDaemon { abandon(request.id) }
        }
        // The next request gets its full time.
        if isSilent { silentSince = nil }
        return expired
    }

    /// When `expire` may have something to do.
    package func nextExpiry(silence: Duration) -> Instant? {
        var next: Instant?
        for case .open(let request) in entries.values {
            let candidates = [request.deadline, silentSince.map { $0 + silence + .milliseconds(1) }]
            next = ([next] + candidates).compactMap { $0 }.min()
        }
        return next
    }

    /// Takes out everything: the connection is over.
    package mutating func failAll() -> [Completion] {
        let completions = entries.values.compactMap { entry -> Completion? in
            if case .open(let request) = entry { request.completion } else { nil }
        }
        entries = entries.filter { if case .open = $0.value { false } else { true } }
        return completions
    }

    package var openCount: Int { entries.values.count { if case .open = $0 { true } else { false } } }

    private mutating func abandon(_ id: UInt64) {
        // A daemon that never answers cancelled requests must not make this grow for ever.
        if abandoned.count >= 1024 { abandoned.removeAll() }
        abandoned.insert(id)
    }
}

extension Duration {
    /// For messages: seconds, with one digit after the point when it is not a whole number.
    var seconds: String {
        let tenths = (Double(components.seconds) + Double(components.attoseconds) * 1e-18) * 10
        let rounded = Int(tenths.rounded())
        return rounded % 10 == 0 ? "\(rounded / 10)" : "\(rounded / 10).\(rounded % 10)"
    }
}
