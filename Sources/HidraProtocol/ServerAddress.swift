/// Where a daemon listens over TCP: the control socket at the port, the work socket at the next one, the events socket at the one after.
public struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
    public let host: String
    public let port: Int

    /// - Parameter text: `tcp://HOST:PORT`; an IPv6 address stands in brackets.
    /// - Returns: nil for anything else, and for ports without two more above them.
    public init?(_ text: String) {
        guard text.hasPrefix("tcp://") else { return nil }
        let rest = text.dropFirst(6)
        guard let colon = rest.lastIndex(of: ":"), let port = Int(rest[rest.index(after: colon)...]),
            (1...65_533).contains(port)
        else { return nil }
        let host = rest[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        guard !host.isEmpty, isBracketed || !host.contains(":"), !host.contains(where: { "/;@ ".contains($0) || $0.isNewline }) else {
            return nil
        }
        (self.host, self.port) = (String(host), port)
    }

    public var description: String { control }

    package var control: String { "tcp://\(host):\(port)" }
    package var work: String { "tcp://\(host):\(port + 1)" }
    package var events: String { "tcp://\(host):\(port + 2)" }
    /// For sockets that may speak IPv6.
    package var isIPv6: Bool { host.hasPrefix("[") }
}
