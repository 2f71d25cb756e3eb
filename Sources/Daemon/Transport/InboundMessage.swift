package import HidraProtocol

/// A client as the sockets know it: the routing id it chose, the same on both sockets, and the key it holds, so that whoever uses the routing
/// id of another with a key of its own is another client.
package struct ClientIdentity: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]
    /// Name of the key it connected with over the network; nil for clients of the same user on this machine.
    package let key: String?

    package init(_ bytes: [UInt8], key: String? = nil) { (self.bytes, self.key) = (bytes, key) }

    /// Hexadecimal, for the log.
    package var description: String {
        let digits = Array("0123456789abcdef")
        let id = String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
        return key.map { "\(id) of key \($0)" } ?? id
    }

    /// Whether both are answered for together: clients with one key, or one client.
    func sharesAccount(with other: ClientIdentity) -> Bool { key == nil ? self == other : key == other.key }

    /// libzmq invents ids for peers that choose none, beginning with a zero byte. They differ between the two sockets,
    /// and one of the work socket can equal another client's of the control socket.
    var isInvented: Bool { bytes.isEmpty || bytes[0] == 0 }
}

/// A well-formed request on the socket it belongs to.
package struct InboundMessage: Sendable {
    package var channel: Channel
    package var client: ClientIdentity
    package var envelope: Hidra_V1_Envelope
    /// Raw frames, one for each entry of `envelope.tensors`; sizes are checked.
    package var tensors: [[UInt8]]
}

/// Why a client is no longer there.
package enum ClientLoss: String, Sendable {
    /// Its connection is closed.
    case disconnected
    /// It did not read its replies, and too many bytes waited for it.
    case slow
    /// It was silent for three times as long as it had promised to be at most.
    case silent
    /// Its key was revoked.
    case revoked
}
