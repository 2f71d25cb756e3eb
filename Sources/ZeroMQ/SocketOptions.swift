internal import CZeroMQ

extension Socket {
    package enum Option: Sendable {
        /// Largest frame taken from a peer; a peer that announces more is disconnected.
        case maximumMessageBytes(Int64)
        /// Messages queued per peer before a send is refused.
        case sendHighWater(Int32)
        /// Messages queued per peer before reading from it stops.
        case receiveHighWater(Int32)
        /// How long closing waits for unsent messages; zero drops them.
        case linger(Duration)
        /// This socket's name at a ROUTER: 1 to 255 bytes, the first not zero.
        case routingID([UInt8])
        /// A ROUTER reports unknown and full peers instead of dropping messages.
        case routerMandatory(Bool)
        /// Time a new connection has for the ZMTP handshake.
        case handshakeInterval(Duration)
        /// Pause before libzmq connects again by itself. There is no "never": libzmq's -1 throws away what had arrived
        /// but was not yet read when the connection ended.
        case reconnectInterval(Duration)
        case subscribe([UInt8])
        case unsubscribe([UInt8])
        /// A publisher's owner answers each subscription that it reads with `subscribe`, which then holds for the peer that sent it, or not
        /// at all.
        case manualSubscriptions
        /// Only processes of this user may connect to an `ipc://` endpoint, as the kernel knows them (SO_PEERCRED). Before `bind`.
        case acceptsUser(UInt32)
        case ipv6(Bool)
        /// TCP asks a peer that says nothing whether it is still there: after a minute, and gives it up after another.
        case tcpKeepAlive
        /// Encrypts, and admits whom the authenticator of the context admits, asked with this domain. Before `bind`.
        case curveServer(CurveKeyPair, domain: String)
        /// Encrypts, towards the server of this public key. Before `connect`.
        case curveClient(CurveKeyPair, server: String)
    }

    package borrowing func set(_ option: Option) throws(ZeroMQError) {
        switch option {
        case .maximumMessageBytes(let bytes): try set(ZMQ_MAXMSGSIZE, bytes, "set the message limit")
        case .sendHighWater(let count): try set(ZMQ_SNDHWM, count, "set the send high-water mark")
        case .receiveHighWater(let count): try set(ZMQ_RCVHWM, count, "set the receive high-water mark")
        case .linger(let time): try set(ZMQ_LINGER, time.wholeMilliseconds, "set the linger time")
        case .routerMandatory(let on): try set(ZMQ_ROUTER_MANDATORY, Int32(on ? 1 : 0), "set mandatory routing")
        case .handshakeInterval(let time):
            try set(ZMQ_HANDSHAKE_IVL, time.wholeMilliseconds, "set the handshake interval")
        case .reconnectInterval(let time):
            try set(ZMQ_RECONNECT_IVL, time.wholeMilliseconds, "set the reconnect interval")
        case .routingID(let bytes): try set(ZMQ_ROUTING_ID, bytes: bytes, "set the routing id")
        case .subscribe(let topic): try set(ZMQ_SUBSCRIBE, bytes: topic, "subscribe")
        case .unsubscribe(let topic): try set(ZMQ_UNSUBSCRIBE, bytes: topic, "unsubscribe")
        case .manualSubscriptions: try set(ZMQ_XPUB_MANUAL, Int32(1), "decide on subscriptions")
        case .acceptsUser(let user): try set(ZMQ_IPC_FILTER_UID, user, "restrict connections to one user")
        case .ipv6(let on): try set(ZMQ_IPV6, Int32(on ? 1 : 0), "set IPv6")
        case .tcpKeepAlive:
            try set(ZMQ_TCP_KEEPALIVE, Int32(1), "keep connections alive")
            try set(ZMQ_TCP_KEEPALIVE_IDLE, Int32(60), "keep connections alive")
            try set(ZMQ_TCP_KEEPALIVE_INTVL, Int32(10), "keep connections alive")
            try set(ZMQ_TCP_KEEPALIVE_CNT, Int32(6), "keep connections alive")
        case .curveServer(let keys, let domain):
            try set(ZMQ_CURVE_SERVER, Int32(1), "encrypt")
            try set(ZMQ_CURVE_SECRETKEY, text: keys.secretKey, "set the secret key")
            try set(ZMQ_ZAP_DOMAIN, bytes: Array(domain.utf8), "set the domain")
            // Without this, connections would be admitted unasked if the authenticator were missing.
            try set(hidra_zmq_ZAP_ENFORCE_DOMAIN, Int32(1), "insist on authentication")
        case .curveClient(let keys, let server):
            try set(ZMQ_CURVE_SERVERKEY, text: server, "set the server's key")
            try set(ZMQ_CURVE_PUBLICKEY, text: keys.publicKey, "set the public key")
            try set(ZMQ_CURVE_SECRETKEY, text: keys.secretKey, "set the secret key")
        }
    }

    private borrowing func set<Value: BitwiseCopyable>(
        _ option: Int32, _ value: Value, _ operation: String
    ) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Value>.size) == 0 else { throw .last(operation) }
    }

    /// With its end, as libzmq takes keys in Z85.
    private borrowing func set(_ option: Int32, text: String, _ operation: String) throws(ZeroMQError) {
        let code = text.withCString { zmq_setsockopt(handle, option, $0, text.utf8.count + 1) }
        guard code == 0 else { throw .last(operation) }
    }

    private borrowing func set(_ option: Int32, bytes: [UInt8], _ operation: String) throws(ZeroMQError) {
        guard zmq_setsockopt(handle, option, bytes, bytes.count) == 0 else { throw .last(operation) }
    }
}

extension Duration {
    /// In milliseconds, rounded up so that a short wait does not become none; clamped to `Int32`.
    var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let perMillisecond: Int64 = 1_000_000_000_000_000
        return Int32(seconds * 1000 + (attoseconds + perMillisecond - 1) / perMillisecond)
    }
}
