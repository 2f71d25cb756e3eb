internal import Glibc
internal import HidraProtocol
internal import Synchronization
internal import ZeroMQ

/// What the loop's thread owns. Never leaves it.
struct SocketLoopBody: ~Copyable {
    private let loop: SocketLoop
    private let decoder: WorkDecoder
    /// For this machine, and for the network where the daemon listens there.
    private let local: SocketTrio
    private let network: SocketTrio?
    private let trios: [SocketTrio]
    private let authenticator: Authenticator?
    private var poller: Poller
    private let wakeToken: Poller.Token

    private var queues: PeerQueues
    private var gate: InputGate
    /// Connections that have sent something.
    private var known: Set<PeerAddress> = []
    /// Clients that were too slow, or silent for too long; what they send is no longer read.
    private var dropped: [ClientIdentity: ClientLoss] = [:]
    private var connections = NetworkConnections()
    private var silence = SilenceWatch()
    private var nextProbe: ContinuousClock.Instant

    private static let controlBatch = 64
    private static let workBatch = 16
    private static let retryInterval = Duration.milliseconds(1)
    private static let gateInterval = Duration.milliseconds(10)
    private static let heartbeat = Frames.heartbeat

    init(_ loop: SocketLoop, _ context: Context, _ decoder: WorkDecoder) throws(ZeroMQError) {
        let limits = loop.configuration.limits
        var poller = Poller(), authenticator: Authenticator?, network: SocketTrio?
        if let configured = loop.configuration.network {
            // Before any socket is bound: nobody is ever let in unasked.
            authenticator = try Authenticator(configured.keys, in: context, poller: &poller)
            network = try SocketTrio(configured, limits, in: context, poller: &poller)
        }
        let local = try SocketTrio(loop.lock.endpoints, limits, in: context, poller: &poller)
        wakeToken = poller.add(loop.wake)
        trios = [local, network].compactMap { $0 }
        (self.local, self.network, self.authenticator, self.poller) = (local, network, authenticator, poller)
        self.loop = loop
        self.decoder = decoder
        queues = PeerQueues(capBytes: loop.configuration.peerQueueBytes)
        gate = InputGate(high: loop.configuration.workHighWater, low: loop.configuration.workLowWater)
        nextProbe = .now + loop.configuration.probeInterval
    }

    private func trio(of client: ClientIdentity) -> SocketTrio? { client.key == nil ? local : network }

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
            for trio in trios {
                poller.set(reading ? .readable : [], for: trio.controlToken)
                poller.set(takesWork ? .readable : [], for: trio.workToken)
            }
            try poller.wait(timeout(takesWork: takesWork, stopping: stopping))

            // Before the outbox is taken: a signal that comes later finds the flag cleared and signals again.
            if poller.ready(wakeToken).contains(.readable) { loop.wake.drain() }
            if let authenticator, poller.ready(authenticator.token).contains(.readable) { try authenticator.serve() }
            for trio in trios {
                if poller.ready(trio.controlToken).contains(.readable) { try readControl(trio) }
                if poller.ready(trio.workToken).contains(.readable) { try readWork(trio) }
                if poller.ready(trio.eventsToken).contains(.readable) { try readSubscriptions(trio) }
            }
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
            case .expect(let client, let longest): silence.expect(client, longest, .now)
            case .endKey(let key): end(key)
            }
        }
        return stopping
    }

    private mutating func send(_ frames: [[UInt8]], to peer: PeerAddress) {
        guard dropped[peer.client] == nil else { return }
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
        guard let trio = trio(of: peer.client), !trio.isNetwork || connections.isOpen(peer) else { return .unreachable }
        do {
            return try trio.send(frames, to: peer)
        } catch {
            loop.log("message to \(peer.client) lost: \(error)")
            return .unreachable
        }
    }

    private borrowing func publish(_ frames: [[UInt8]]) {
        for trio in trios { publish(frames, on: trio) }
    }

    private borrowing func publish(_ frames: [[UInt8]], on trio: SocketTrio) {
        do {
            // XPUB drops for subscribers that are behind; they see the gap and ask for a replay.
            _ = try trio.events.send(frames)
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

    private mutating func readControl(_ trio: SocketTrio) throws(ZeroMQError) {
        for _ in 0..<Self.controlBatch {
            guard let message = try trio.receive(.control) else { return }
            if let client = meet(message, trio, .control) { loop.accept(message, of: client.key, on: .control) }
        }
    }

    private mutating func readWork(_ trio: SocketTrio) throws(ZeroMQError) {
        for _ in 0..<Self.workBatch where !decoder.isFull {
            guard let message = try trio.receive(.work) else { return }
            if let client = meet(message, trio, .work) { decoder.add(WorkDecoder.Item(message: message, key: client.key)) }
        }
    }

    /// Who sent the message; nil when it is not to be read.
    private mutating func meet(_ message: Socket.Message, _ trio: SocketTrio, _ channel: Channel) -> ClientIdentity? {
        guard let identity = message.frames.first else { return nil }
        var key: String?
        if trio.isNetwork {
            guard let sender = message.sender, let entry = admit(sender) else { return nil }
            key = entry.name
            connections.note(
                sender.descriptor, key: entry.name,
                as: PeerAddress(channel: channel, client: ClientIdentity(identity, key: entry.name)))
        }
        let client = ClientIdentity(identity, key: key)
        if let loss = dropped[client] {
            if loss == .silent { farewell(client, Self.silentFarewell) }
            return nil
        }
        if known.isEmpty { nextProbe = .now + loop.configuration.probeInterval }
        known.insert(PeerAddress(channel: channel, client: client))
        silence.heard(client, .now)
        return client
    }

    /// The key is asked for at each message, not only when the connection was made.
    private borrowing func admit(_ sender: Socket.Sender) -> KeyRing.Entry? {
        if let entry = loop.configuration.network?.keys.entry(publicKey: sender.user) { return entry }
        NetworkConnections.end(sender.descriptor)
        return nil
    }

    /// Subscriptions are libzmq's business; they are read so that they do not pile up, and to answer `sync/` topics.
    private mutating func readSubscriptions(_ trio: SocketTrio) throws(ZeroMQError) {
        for _ in 0..<Self.controlBatch {
            guard let message = try trio.events.receive(maximumFrames: 2, asksSender: true) else { return }
            guard let sender = message.sender, let frame = message.frames.first, let isOn = frame.first else { continue }
            let topic = Array(frame.dropFirst())
            if trio.isNetwork {
                guard let entry = admit(sender) else { continue }
                connections.note(sender.descriptor, key: entry.name, as: nil)
            } else if isOn == 0 {
                try trio.events.set(.unsubscribe(topic))
            } else if topic.starts(with: EventsTopic.syncPrefix) || loop.maySubscribe(sender.descriptor) {
                // Takes effect for the connection that the message came from.
                try trio.events.set(.subscribe(topic))
            } else {
                continue
            }
            guard isOn == 1 else { continue }
            if topic.starts(with: EventsTopic.syncPrefix), topic.count <= EventsTopic.maximumSyncBytes {
                publish([topic] + Self.heartbeat, on: trio)
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
        for client in silence.lost(.now) {
            loop.log("client \(client) is silent: what it had is released")
            drop(client, .silent, Self.silentFarewell)
        }
    }

    private mutating func lose(_ client: ClientIdentity, _ reason: ClientLoss) {
        let wasKnown = forget(client)
        let wasDropped = dropped.removeValue(forKey: client) != nil
        if wasKnown, !wasDropped, !client.isInvented { loop.clientLost(client, reason) }
    }

    private mutating func dropSlow(_ client: ClientIdentity) {
        loop.log("client \(client) does not read its replies: dropped")
        drop(client, .slow, "Too many unread replies waited for this client. Connect again.")
    }

    private static let silentFarewell = "Nothing was heard of this client for three times as long as it had promised. Connect again."

    /// It is looked after until it closes its connection, but no longer served.
    private mutating func drop(_ client: ClientIdentity, _ loss: ClientLoss, _ reason: String) {
        queues.remove(client)
        silence.forget(client)
        dropped[client] = loss
        farewell(client, reason)
        loop.clientLost(client, loss)
    }

    /// Read when the client reads again.
    private mutating func farewell(_ client: ClientIdentity, _ reason: String) {
        let control = PeerAddress(channel: .control, client: client)
        // One at a time: it may send for long before it reads.
        if !queues.hasMessages(for: control) { _ = queues.append(Frames.goodbye(reason), for: control) }
    }

    private mutating func end(_ key: String) {
        connections.end(key: key)
        for client in Set(known.map(\.client)) where client.key == key { lose(client, .revoked) }
    }

    @discardableResult
    private mutating func forget(_ client: ClientIdentity) -> Bool {
        queues.remove(client)
        silence.forget(client)
        var wasKnown = false
        for channel in Channel.allCases {
            let peer = PeerAddress(channel: channel, client: client)
            if known.remove(peer) != nil { wasKnown = true }
            connections.forget(peer)
        }
        return wasKnown
    }

    private borrowing func linger(until deadline: ContinuousClock.Instant) throws(ZeroMQError) {
        for trio in trios { try trio.linger(max(deadline - .now, .zero)) }
    }
}
