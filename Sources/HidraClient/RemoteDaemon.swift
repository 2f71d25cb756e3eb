public import HidraProtocol
internal import Glibc

/// A daemon on another machine, and the key to it.
public struct RemoteDaemon: Sendable, Equatable {
    public let address: ServerAddress
    public let key: ClientKey

    /// - Parameter server: `tcp://HOST:PORT`; nil: as the key says.
    /// - Throws: `invalidArgument` for what is no address, or when neither says one.
    public init(server: String? = nil, key: ClientKey) throws(HidraError) {
        let text = server ?? key.endpoint
        guard let address = ServerAddress(text) else {
            throw HidraError(
                .invalidArgument,
                text.isEmpty
                    ? "The key does not say where the daemon listens. Say it with --server tcp://HOST:PORT or HIDRA_SERVER."
                    : "'\(text)' is no address of a daemon; it must be tcp://HOST:PORT, with a port up to 65533.")
        }
        (self.address, self.key) = (address, key)
    }

    /// `HIDRA_SERVER` and `HIDRA_KEY`; nil when neither is set: the daemon of this machine is meant.
    ///
    /// - Parameters: what goes before the variables, e.g. from a command line.
    public static func named(server: String? = nil, keyFile: String? = nil) throws(HidraError) -> RemoteDaemon? {
        let server = server ?? variable("HIDRA_SERVER"), keyFile = keyFile ?? variable("HIDRA_KEY")
        guard let keyFile else {
            guard let server else { return nil }
            throw HidraError(
                .invalidArgument,
                "\(server) is reached with a key only. Name its file with --key or HIDRA_KEY; `hidra keys new NAME -o FILE`, on that machine, makes one."
            )
        }
        return try RemoteDaemon(server: server, key: ClientKey(file: keyFile))
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// Where a connection goes.
struct Destination: Sendable {
    let control: String
    let work: String
    let events: String
    /// For messages.
    let name: String
    let key: ClientKey?

    init(_ endpoints: Endpoints) {
        (control, work, events) = (endpoints.control, endpoints.work, endpoints.events)
        (name, key) = (endpoints.directory, nil)
    }

    init(_ remote: RemoteDaemon) {
        (control, work, events) = (remote.address.control, remote.address.work, remote.address.events)
        (name, key) = (remote.address.description, remote.key)
    }

    var isIPv6: Bool { control.hasPrefix("tcp://[") }
}
