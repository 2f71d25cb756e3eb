internal import Glibc
internal import HidraProtocol
internal import Synchronization
internal import ZeroMQ

/// What a connection's thread owns: its sockets, and what waits to be sent. Never leaves the thread.
struct ConnectionBody: ~Copyable {
    private typealias Instant = ContinuousClock.Instant

    /// Largest frame taken from the daemon.
    static let messageBytes = 256 << 20

    private let connection: Connection
    private let control: Socket
    private let work: Socket
    private let events: Socket
    private let controlMonitor: Monitor
    private let workMonitor: Monitor
    private var poller = Poller()
    private let wakeToken, controlToken, workToken, eventsToken, controlMonitorToken, workMonitorToken: Poller.Token

    private var unsent: [Channel: [[[UInt8]]]] = [:]
    private var nextHeartbeat: Instant
    private var isSubscribing = false
    private let syncTopic: [UInt8]
    private var isConnected = false
    private var isRefused = false

    /// Runs until the connection is closed (nil) or lost.
    static func run(_ connection: Connection) -> HidraError? {
        do {
            let context = try Context()
            defer { context.terminate() }
            return try serve(connection, context)
        } catch {
            return HidraError(.internalError, "The connection to hidrad failed: \(error.message).", cause: error)
        }
    }

    private static func serve(_ connection: Connection, _ context: Context) throws(ZeroMQError) -> HidraError? {
        var body = try ConnectionBody(connection, context)
        return try body.loop()
    }

    private init(_ connection: Connection, _ context: Context) throws(ZeroMQError) {
        // The same for both sockets, so that the daemon knows them as one client. Zero begins libzmq's own ids.
        let identity = [UInt8.random(in: 1...255)] + (1..<16).map { _ in UInt8.random(in: 0...255) }
        let control = try Socket(.dealer, in: context)
        let work = try Socket(.dealer, in: context)
        let events = try Socket(.subscriber, in: context)
        try Self.configure(control, identity)
        try Self.configure(work, identity)
        try events.set(.maximumMessageBytes(Int64(Limits.controlMessageBytes)))
        let controlMonitor = try Monitor(of: control, in: context, name: "control")
        let workMonitor = try Monitor(of: work, in: context, name: "work")
        let destination = connection.destination
        for option in try Self.security(destination) {
            try control.set(option)
            try work.set(option)
            try events.set(option)
        }
        try control.connect(destination.control)
        try work.connect(destination.work)

        wakeToken = poller.add(connection.wake)
        controlToken = poller.add(control)
        workToken = poller.add(work)
        eventsToken = poller.add(events)
        controlMonitorToken = poller.add(controlMonitor.socket)
        workMonitorToken = poller.add(workMonitor.socket)
        var name = FNV1a()
        name.update(identity)
        syncTopic = EventsTopic.syncPrefix + Array((name.hexadecimal + String(identity[0])).utf8)
        nextHeartbeat = .now + connection.state.withLock { $0.heartbeat }
        self.connection = connection
        self.control = control
        self.work = work
        self.events = events
        self.controlMonitor = controlMonitor
        self.workMonitor = workMonitor
    }

    private static func security(_ destination: Destination) throws(ZeroMQError) -> [Socket.Option] {
        guard let key = destination.key else { return [] }
        guard let pair = CurveKeyPair(secretKey: key.secretKey) else {
            throw ZeroMQError(code: EINVAL, operation: "use the key \(key.name)")
        }
        return [.ipv6(destination.isIPv6), .curveClient(pair, server: key.serverKey)]
    }

    private static func configure(_ dealer: borrowing Socket, _ identity: [UInt8]) throws(ZeroMQError) {
        try dealer.set(.routingID(identity))
        try dealer.set(.maximumMessageBytes(Int64(messageBytes)))
        // A daemon that comes back knows nothing of our requests: a lost connection is closed long before this.
        try dealer.set(.reconnectInterval(.seconds(600)))
        try dealer.set(.linger(.milliseconds(200)))
    }

    private mutating func loop() throws(ZeroMQError) -> HidraError? {
        while true {
            let (closing, heartbeat, wantsEvents) = adoptOutbox()
            if wantsEvents { try subscribe() }
            try flush()
            if let closing, unsent.isEmpty || closing <= .now { return nil }

            try poller.wait(timeout(closing, heartbeat))
            if poller.ready(wakeToken).contains(.readable) { connection.wake.drain() }
            var farewell = try read()
            if try lost() {
                // What the daemon sent before it went may explain why.
                farewell = try read() ?? farewell
                if !isConnected { try abandonUnsent() }
                return farewell ?? gone()
            }
            if let farewell { return farewell }
            keepAlive(heartbeat)
            connection.expire()
        }
    }

    /// Nobody was ever there to send to: closing need not wait for what lies in the queues.
    private func abandonUnsent() throws(ZeroMQError) {
        try control.set(.linger(.zero))
        try work.set(.linger(.zero))
    }

    private func gone() -> HidraError {
        let name = connection.destination.name, isRemote = connection.destination.key != nil
        if isRefused {
            return HidraError(
                .permissionDenied,
                "hidrad at \(name) does not admit this key: it was revoked, or is another daemon's. Ask who runs it for a new one.")
        }
        if !isConnected { return HidraError(.unavailable, "No hidrad listens at \(name).") }
        return HidraError(
            .unavailable,
            isRemote
                ? "The connection to hidrad at \(name) is lost: it stopped, the network failed, or the key was revoked."
                : "hidrad is gone: it stopped or crashed while the connection was open. Its log is hidrad.log in the home "
                    + "directory; the next command starts it again.")
    }

    private func timeout(_ closing: Instant?, _ heartbeat: Duration) -> Duration? {
        var next = nextHeartbeat
        if let closing { next = min(next, closing) }
        let silence = connection.silence
        if let expiry = connection.state.withLock({ $0.requests.nextExpiry(silence: silence) }) {
            next = min(next, expiry)
        }
        return max(next - .now, .zero)
    }

    private mutating func adoptOutbox() -> (closing: Instant?, heartbeat: Duration, wantsEvents: Bool) {
        let (items, phase, heartbeat, wantsEvents) = connection.state.withLock { state in
            state.wakePending = false
            defer { state.outbox = [] }
            if !state.outbox.isEmpty { state.requests.sent(.now) }
            return (state.outbox, state.phase, state.heartbeat, !state.feeds.isEmpty)
        }
        for item in items { unsent[item.channel, default: []].append(item.frames) }
        nextHeartbeat = min(nextHeartbeat, .now + heartbeat)
        if case .closing(let deadline) = phase { return (deadline, heartbeat, wantsEvents) }
        return (nil, heartbeat, wantsEvents)
    }

    private mutating func flush() throws(ZeroMQError) {
        for channel in Channel.allCases {
            var messages = unsent.removeValue(forKey: channel) ?? []
            var sent = 0
            while sent < messages.count {
                let result: Socket.SendResult
                switch channel {
                case .control: result = try control.send(messages[sent])
                case .work: result = try work.send(messages[sent])
                }
                guard result == .sent else { break }
                sent += 1
            }
            messages.removeFirst(sent)
            poller.set(
                messages.isEmpty ? .readable : [.readable, .writable],
                for: channel == .control ? controlToken : workToken)
            if !messages.isEmpty { unsent[channel] = messages }
        }
    }

    private mutating func keepAlive(_ heartbeat: Duration) {
        guard nextHeartbeat <= .now else { return }
        nextHeartbeat = .now + heartbeat
        // One at a time: a daemon that does not read gets no more of them.
        if unsent[.control] == nil { unsent[.control] = [Frames.heartbeat] }
        connection.state.withLock { $0.requests.sent(.now) }
    }

    /// Takes what has arrived. Returns the reason when the daemon says goodbye.
    private borrowing func read() throws(ZeroMQError) -> HidraError? {
        var farewell: HidraError?
        while let message = try control.receive() { farewell = connection.receive(message.frames) ?? farewell }
        while let message = try work.receive() { farewell = connection.receive(message.frames) ?? farewell }
        while let message = try events.receive() {
            if message.frames.first == syncTopic { connection.subscribed() }
            if message.frames.first == EventsTopic.events { connection.receiveEvent(Array(message.frames.dropFirst())) }
        }
        return farewell
    }

    private mutating func lost() throws(ZeroMQError) -> Bool {
        var isLost = false
        while let event = try controlMonitor.next() {
            if event == .lost || event == .refused { isLost = true }
            if event == .refused { isRefused = true }
            if event == .connected { isConnected = true }
        }
        while let event = try workMonitor.next() {
            if event == .lost || event == .refused { isLost = true }
            if event == .refused { isRefused = true }
        }
        return isLost
    }

    private mutating func subscribe() throws(ZeroMQError) {
        if isSubscribing { return connection.startFeeds() }
        isSubscribing = true
        // In this order: the answer to the second shows that the first is in effect.
        try events.set(.subscribe(EventsTopic.events))
        try events.set(.subscribe(syncTopic))
        try events.connect(connection.destination.events)
    }
}
