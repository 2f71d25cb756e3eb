package import HidraProtocol
package import ZeroMQ

/// One connection of a client.
package struct PeerAddress: Hashable, Sendable {
    package var channel: Channel
    package var client: ClientIdentity

    package init(channel: Channel, client: ClientIdentity) { (self.channel, self.client) = (channel, client) }
}

/// Messages for peers whose ZeroMQ queue is full, in order, up to a number of bytes for each peer.
package struct PeerQueues {
    private struct Queue {
        var messages: [[[UInt8]]] = []
        var first = 0
        var bytes = 0
    }

    private let capBytes: Int
    private var queues: [PeerAddress: Queue] = [:]

    package init(capBytes: Int) { self.capBytes = capBytes }

    package var isEmpty: Bool { queues.isEmpty }

    /// Later messages must queue behind those that wait.
    package func hasMessages(for peer: PeerAddress) -> Bool { queues[peer] != nil }

    /// False when the peer has more waiting than it may; the message is then not kept.
    package mutating func append(_ frames: [[UInt8]], for peer: PeerAddress) -> Bool {
        let bytes = frames.reduce(0) { $0 + $1.count }
        let waiting = queues[peer]?.bytes ?? 0
        // The first message is always taken: its size has been checked against the message limit.
        guard waiting == 0 || waiting + bytes <= capBytes else { return false }
        // In place: a copy of the queue for each message would make a long one cost its square.
        queues[peer, default: Queue()].messages.append(frames)
        queues[peer, default: Queue()].bytes += bytes
        return true
    }

    package mutating func remove(_ client: ClientIdentity) {
        for channel in Channel.allCases { queues[PeerAddress(channel: channel, client: client)] = nil }
    }

    /// Sends what can be sent. Returns the peers that are gone, without their messages.
    package mutating func flush(_ send: (PeerAddress, [[UInt8]]) -> Socket.SendResult) -> [PeerAddress] {
        var gone: [PeerAddress] = []
        for peer in queues.keys {
            guard var queue = queues.removeValue(forKey: peer) else { continue }
            var result = Socket.SendResult.sent
            while queue.first < queue.messages.count, result == .sent {
                let frames = queue.messages[queue.first]
                result = send(peer, frames)
                if result == .sent {
                    queue.messages[queue.first] = []
                    queue.first += 1
                    queue.bytes -= frames.reduce(0) { $0 + $1.count }
                }
            }
            if result == .unreachable { gone.append(peer) }
            if result == .full {
                if queue.first > 1024 {
                    queue.messages.removeFirst(queue.first)
                    queue.first = 0
                }
                queues[peer] = queue
            }
        }
        return gone
    }
}
