internal import HidraProtocol
internal import ZeroMQ

/// Answers libzmq when a connection over the network presents its key (https://rfc.zeromq.org/spec/27). Until it says yes, libzmq takes
/// nothing from the peer and sends it nothing. Belongs to the loop's thread.
final class Authenticator {
    /// What the sockets ask with: events need more than a connection does.
    static let requestDomain = "hidra", eventsDomain = "hidra.events"

    private let socket: Socket
    let token: Poller.Token
    private let keys: KeyRing

    /// Must be made before any socket of the network is bound.
    init(_ keys: KeyRing, in context: Context, poller: inout Poller) throws(ZeroMQError) {
        socket = try Socket(.reply, in: context)
        try socket.bind("inproc://zeromq.zap.01")
        token = poller.add(socket)
        self.keys = keys
    }

    func serve() throws(ZeroMQError) {
        while let message = try socket.receive(maximumFrames: 7) { _ = try socket.send(answer(message.frames)) }
    }

    /// `[version, request, domain, address, identity, mechanism, credentials]` → `[version, request, status, text, user, metadata]`.
    /// The user is the public key itself: names can be used again.
    private func answer(_ frames: [[UInt8]]) -> [[UInt8]] {
        let version = Array("1.0".utf8), request = frames.count > 1 ? frames[1] : []
        guard frames.count == 7, frames[0] == version, frames[5] == Array("CURVE".utf8),
            let key = CurveKeyPair.text(ofKey: frames[6]), let entry = keys.entry(publicKey: key),
            frames[2] == Array(Self.requestDomain.utf8)
                || frames[2] == Array(Self.eventsDomain.utf8) && entry.role >= Role.ofEvents
        else { return [version, request, Array("400".utf8), Array("No".utf8), [], []] }
        return [version, request, Array("200".utf8), Array("OK".utf8), Array(key.utf8), []]
    }
}
