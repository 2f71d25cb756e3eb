internal import Glibc

/// Connections of the network by their descriptors, as messages brought them.
///
/// libzmq has no way to end a peer's connection, nor to ask whether a routing id still means the connection it meant. Its descriptors serve
/// for both. One may have been closed, and its number be another connection's by now, so it is compared with the peer's address first.
struct NetworkConnections {
    private struct Connection {
        let descriptor: Int32
        let key: String
        /// The peer's address and port, as the kernel has them.
        let peer: [UInt8]

        var isOpen: Bool { NetworkConnections.peer(of: descriptor) == peer }

        /// libzmq sees the end of the stream, and closes.
        func end() { if isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) } }
    }

    private var byDescriptor: [Int32: Connection] = [:]
    private var byAddress: [PeerAddress: Connection] = [:]

    /// - Parameter address: of one that sends requests; nil for a subscriber.
    mutating func note(_ descriptor: Int32, key: String, as address: PeerAddress?) {
        guard let peer = Self.peer(of: descriptor) else { return }
        let connection = Connection(descriptor: descriptor, key: key, peer: peer)
        byDescriptor[descriptor] = connection
        if let address { byAddress[address] = connection }
    }

    /// Whether what is sent there still reaches the connection that asked, and not another that has taken its routing id.
    func isOpen(_ address: PeerAddress) -> Bool { byAddress[address]?.isOpen ?? false }

    mutating func forget(_ address: PeerAddress) { byAddress[address] = nil }

    mutating func end(key: String) {
        for (descriptor, connection) in byDescriptor where connection.key == key {
            connection.end()
            byDescriptor[descriptor] = nil
        }
    }

    /// Ends one whose message came after its key was revoked.
    static func end(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private static func peer(of descriptor: Int32) -> [UInt8]? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        guard code == 0, length > 0 else { return nil }
        return withUnsafeBytes(of: storage) { Array($0.prefix(Int(length))) }
    }
}
