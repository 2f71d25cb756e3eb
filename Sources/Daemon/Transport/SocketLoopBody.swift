internal import Glibc
internal import HidraProtocol
internal import Synchronization
internal import ZeroMQ

/// What the loop's thread owns. Never leaves it.
struct SocketLoopBody: ~Copyable {
    private let loop: SocketLoop
    private let decoder: WorkDecoder
    private let control: Socket
    private let work: Socket
    private let events: Socket
    private var poller = Poller()
    private let wakeToken, controlToken, workToken, eventsToken: Poller.Token

    private var queues: PeerQueues
    private var gate: InputGate
    /// Connections that have sent something.
    private var known: Set<PeerAddress> = []
    /// Clients that were too slow; what they send is no longer read.
    private var dropped: Set<ClientIdentity> = []
    private var nextProbe: ContinuousClock.Instant

    private static let controlBatch = 64
    private static let workBatch = 16
    private static let retryInterval = Duration.milliseconds(1)
    private static let gateInterval = Duration.milliseconds(10)
    private static let heartbeat = Frames.heartbeat

    init(_ loop: SocketLoop, _ context: Context, _ decoder: WorkDecoder) throws(ZeroMQError) {
        let endpoints = loop.lock.endpoints
        let control = try Socket(.router, in: context)
        let work = try Socket(.router, in: context)
        let events = try Socket(.publisher, in: context)
        try Self.configure(control, messageBytes: Limits.controlMessageBytes, incoming: 256, outgoing: 256)
        // Few, because each may be large: what waits for a client waits in our queue, which counts bytes.
        try Self.configure(work, messageBytes: loop.configuration.limits.messageBytes, incoming: 8, outgoing: 32)
        try events.set(.maximumMessageBytes(4096))
        try events.set(.sendHighWater(2000))
        try events.set(.handshakeInterval(.seconds(5)))

        // The directory keeps others out already; the mode does so once more.
        let previous = umask(0o077)
        defer { umask(previous) }
        try control.bind(endpoints.control)
        try work.bind(endpoints.work)
        try events.bind(endpoints.events)
        for path in endpoints.paths where chmod(path, 0o600) != 0 {
            throw ZeroMQError(code: errno, operation: "chmod \(path)")
        }

        wakeToken = poller.add(loop.wake)
        controlToken = poller.add(control)
        workToken = poller.add(work)
        eventsToken = poller.add(events)
        self.loop = loop
        self.decoder = decoder
        self.control = control
        self.work = work
        self.events = events
        queues = PeerQueues(capBytes: loop.configuration.peerQueueBytes)
        gate = InputGate(high: loop.configuration.workHighWater, low: loop.configuration.workLowWater)
        nextProbe = .now + loop.configuration.probeInterval
    }

    private static func configure(
        _ router: borrowing Socket, messageBytes: Int, incoming: Int32, outgoing: Int32
    ) throws(ZeroMQError) {
        try router.set(.routerMandatory(true))
        try router.set(.maximumMessageBytes(Int64(messageBytes)))
        try router.set(.sendHighWater(outgoing))
        try router.set(.receiveHighWater(incoming))
        try router.set(.handshakeInterval(.seconds(5)))
    }

    /// Runs until the loop is told to stop, or libzmq fails in a way that no retry can mend.
    mutating func run() throws(ZeroMQError) {
        while true {
            let stopping = adoptOutbox()
            flushQueues()
            if let deadline = stopping, queues.isEmpty || deadline <= .now {
                try linger(until: deadline)
                return
            }
            let reading = stopping == nil
            let takesWork = reading && gate.update(backlog: loop.workBacklog()) && !decoder.isFull
            poller.set(reading ? .readable : [], for: controlToken)
            poller.set(takesWork ? .readable : [], for: workToken)
            try poller.wait(timeout(takesWork: takesWork, stopping: stopping))

            // Before the outbox is taken: a signal that comes later finds the flag cleared and signals again.
            if poller.ready(wakeToken).contains(.readable) { loop.wake.drain() }
            if poller.ready(controlToken).contains(.readable) { try readControl() }
            if poller.ready(workToken).contains(.readable) { try readWork() }
            if poller.ready(eventsToken).contains(.readable) { try readSubscriptions() }
            probe()
        }
    }

    private func timeout(takesWork: Bool, stopping: ContinuousClock.Instant?) -> Duration? {
        var waits: [Duration] = []
        if !queues.isEmpty { waits.append(Self.retryInterval) }
        if let stopping { waits.append(stopping - .now) } else if !takesWork { waits.append(Self.gateInterval) }
        if !known.isEmpty { waits.append(nextProbe - .now) }
        return waits.min()
    }

    // MARK: Out

    /// Sends what other threads left. Returns the deadline when the loop is to stop.
    private mutating func adoptOutbox() -> ContinuousClock.Instant? {
        let (items, stopping) = loop.state.withLock { state in
            state.wakePending = false
            defer { state.outbox = [] }
            if case .stopping(let deadline) = state.phase { return (state.outbox, Optional(deadline)) }
            return (state.outbox, nil)
        }
        for item in items {
            switch item {
            case .message(let frames, let peer): send(frames, to: peer)
            case .event(let frames): publish(frames)
            case .forget(let client): forget(client)
            }
        }
        return stopping
    }

    private mutating func send(_ frames: [[UInt8]], to peer: PeerAddress) {
        guard !dropped.contains(peer.client) else { return }
        if !queues.hasMessages(for: peer) {
            switch transmit(frames, to: peer) {
            case .sent: return
            case .unreachable: return lose(peer.client, .disconnected)
            case .full: break
            }
        }
        if !queues.append(frames, for: peer) { dropSlow(peer.client) }
    }

    private borrowing func transmit(_ frames: [[UInt8]], to peer: PeerAddress) -> Socket.SendResult {
        do {
            switch peer.channel {
            case .control: return try control.send([peer.client.bytes] + frames)
            case .work: return try work.send([peer.client.bytes] + frames)
            }
        } catch {
            loop.log("message to \(peer.client) lost: \(error)")
            return .unreachable
        }
    }

    private borrowing func publish(_ frames: [[UInt8]]) {
        do {
            // XPUB drops for subscribers that are behind; they see the gap and ask for a replay.
            _ = try events.send(frames)
        } catch {
            loop.log("event lost: \(error)")
        }
    }

    private mutating func flushQueues() {
        guard !queues.isEmpty else { return }
        var pending = queues
        queues = PeerQueues(capBytes: loop.configuration.peerQueueBytes)
        let gone = pending.flush { peer, frames in transmit(frames, to: peer) }
        queues = pending
        for peer in gone { lose(peer.client, .disconnected) }
    }

    // MARK: In

    private mutating func readControl() throws(ZeroMQError) {
        for _ in 0..<Self.controlBatch {
            guard let message = try control.receive(maximumFrames: Limits.framesPerMessage + 1) else { return }
            if meet(message, on: .control) { loop.accept(message, on: .control) }
        }
    }

    private mutating func readWork() throws(ZeroMQError) {
        for _ in 0..<Self.workBatch where !decoder.isFull {
            guard let message = try work.receive(maximumFrames: Limits.framesPerMessage + 1) else { return }
            if meet(message, on: .work) { decoder.add(message) }
        }
    }

    /// Whether the message is to be read.
    private mutating func meet(_ message: Socket.Message, on channel: Channel) -> Bool {
        guard let identity = message.frames.first else { return false }
        let client = ClientIdentity(identity)
        guard !dropped.contains(client) else { return false }
        if known.isEmpty { nextProbe = .now + loop.configuration.probeInterval }
        known.insert(PeerAddress(channel: channel, client: client))
        return true
    }

    /// Subscriptions are libzmq's business; they are read so that they do not pile up, and to answer `sync/` topics.
    private mutating func readSubscriptions() throws(ZeroMQError) {
        for _ in 0..<Self.controlBatch {
            guard let message = try events.receive(maximumFrames: 2) else { return }
            guard let frame = message.frames.first, frame.first == 1 else { continue }
            let topic = Array(frame.dropFirst())
            if topic.starts(with: EventsTopic.syncPrefix), topic.count <= EventsTopic.maximumSyncBytes {
                publish([topic] + Self.heartbeat)
            }
        }
    }

    // MARK: Clients that are gone

    /// ROUTERs do not say when a client goes, but they refuse to send to one that is gone.
    private mutating func probe() {
        guard !known.isEmpty, nextProbe <= .now else { return }
        nextProbe = .now + loop.configuration.probeInterval
        for peer in known where !queues.hasMessages(for: peer) {
            if transmit(Self.heartbeat, to: peer) == .unreachable { lose(peer.client, .disconnected) }
        }
    }

    private mutating func lose(_ client: ClientIdentity, _ reason: ClientLoss) {
        let wasKnown = forget(client)
        let wasDropped = dropped.remove(client) != nil
        if wasKnown, !wasDropped, !client.isInvented { loop.clientLost(client, reason) }
    }

    private mutating func dropSlow(_ client: ClientIdentity) {
        loop.log("client \(client) does not read its replies: dropped")
        queues.remove(client)
        dropped.insert(client)
        // Read when the client reads again; it is looked after until it closes its connection.
        let farewell = Frames.goodbye("Too many unread replies waited for this client. Connect again.")
        _ = queues.append(farewell, for: PeerAddress(channel: .control, client: client))
        loop.clientLost(client, .slow)
    }

    @discardableResult
    private mutating func forget(_ client: ClientIdentity) -> Bool {
        queues.remove(client)
        var wasKnown = false
        for channel in Channel.allCases {
            if known.remove(PeerAddress(channel: channel, client: client)) != nil { wasKnown = true }
        }
        return wasKnown
    }

    private borrowing func linger(until deadline: ContinuousClock.Instant) throws(ZeroMQError) {
        let rest = Socket.Option.linger(max(deadline - .now, .zero))
        try control.set(rest)
        try work.set(rest)
        try events.set(rest)
    }
}
