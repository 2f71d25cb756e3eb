internal import Glibc
internal import HidraProtocol
internal import ZeroMQ

/// The daemon's three sockets on one transport. A ROUTER encrypts on all its endpoints or on none, so each transport has its own. Belongs to
/// the loop's thread.
final class SocketTrio {
    let control: Socket
    let work: Socket
    let events: Socket
    let controlToken, workToken, eventsToken: Poller.Token
    /// Its peers are known by their keys.
    let isNetwork: Bool

    /// The sockets of this machine: for processes of the same user, which is checked three times over: the directory's mode, the sockets'
    /// modes, and the credentials that the kernel vouches for.
    init(_ endpoints: Endpoints, _ limits: Limits, in context: Context, poller: inout Poller) throws(ZeroMQError) {
        isNetwork = false
        control = try Socket(.router, in: context)
        work = try Socket(.router, in: context)
        events = try Socket(.publisher, in: context)
        (controlToken, workToken, eventsToken) = (poller.add(control), poller.add(work), poller.add(events))
        try configure(limits)
        // Whom events are for is decided for each subscription: a plugin's process may not have the role.
        try events.set(.manualSubscriptions)
        try control.set(.acceptsUser(geteuid()))
        try work.set(.acceptsUser(geteuid()))
        try events.set(.acceptsUser(geteuid()))
        let previous = umask(0o077)
        defer { umask(previous) }
        try control.bind(endpoints.control)
        try work.bind(endpoints.work)
        try events.bind(endpoints.events)
        for path in endpoints.paths where chmod(path, 0o600) != 0 {
            throw ZeroMQError(code: errno, operation: "chmod \(path)")
        }
    }

    /// The sockets of the network: for holders of a key on the ring that the authenticator asks.
    init(_ network: SocketLoop.Network, _ limits: Limits, in context: Context, poller: inout Poller) throws(ZeroMQError) {
        isNetwork = true
        control = try Socket(.router, in: context)
        work = try Socket(.router, in: context)
        events = try Socket(.publisher, in: context)
        (controlToken, workToken, eventsToken) = (poller.add(control), poller.add(work), poller.add(events))
        try configure(limits)
        let requests = Socket.Option.curveServer(network.serverKey, domain: Authenticator.requestDomain)
        try control.set(requests)
        try work.set(requests)
        try events.set(.curveServer(network.serverKey, domain: Authenticator.eventsDomain))
        // Subscribers say nothing: without it, one whose cable was cut would be kept for ever.
        for option in [Socket.Option.ipv6(network.address.isIPv6), .tcpKeepAlive] {
            try control.set(option)
            try work.set(option)
            try events.set(option)
        }
        try control.bind(network.address.control)
        try work.bind(network.address.work)
        try events.bind(network.address.events)
    }

    private func configure(_ limits: Limits) throws(ZeroMQError) {
        try Self.configure(control, messageBytes: Limits.controlMessageBytes, incoming: 256, outgoing: 256)
        // Few, because each may be large: what waits for a client waits in our queue, which counts bytes.
        try Self.configure(work, messageBytes: limits.messageBytes, incoming: 8, outgoing: 32)
        try events.set(.maximumMessageBytes(4096))
        try events.set(.sendHighWater(2000))
        try events.set(.handshakeInterval(.seconds(5)))
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

    func send(_ frames: [[UInt8]], to peer: PeerAddress) throws(ZeroMQError) -> Socket.SendResult {
        switch peer.channel {
        case .control: try control.send([peer.client.bytes] + frames)
        case .work: try work.send([peer.client.bytes] + frames)
        }
    }

    func receive(_ channel: Channel) throws(ZeroMQError) -> Socket.Message? {
        switch channel {
        case .control: try control.receive(maximumFrames: Limits.framesPerMessage + 1, asksSender: isNetwork)
        case .work: try work.receive(maximumFrames: Limits.framesPerMessage + 1, asksSender: isNetwork)
        }
    }

    func token(_ channel: Channel) -> Poller.Token { channel == .control ? controlToken : workToken }

    func linger(_ time: Duration) throws(ZeroMQError) {
        try control.set(.linger(time))
        try work.set(.linger(time))
        try events.set(.linger(time))
    }
}
