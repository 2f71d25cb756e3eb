import HidraProtocol
import PluginHost
import Synchronization

/// Who has said hello.
final class ClientTable: Sendable {
    private struct Client {
        var name: String
        /// Of a plugin that the daemon runs.
        var plugin: PluginHost.Pass?
    }

    private let clients = Mutex<[ClientIdentity: Client]>([:])

    var count: Int { clients.withLock { $0.count } }

    func hasGreeted(_ client: ClientIdentity) -> Bool { clients.withLock { $0[client] != nil } }
    func forget(_ client: ClientIdentity) { clients.withLock { $0[client] = nil } }
    func name(of client: ClientIdentity) -> String { clients.withLock { $0[client]?.name ?? "" } }

    func greet(_ client: ClientIdentity, name: String, plugin: PluginHost.Pass? = nil) {
        clients.withLock { $0[client] = Client(name: String(name.prefix(128)), plugin: plugin) }
    }

    /// Which plugin the client is; nil: none that the daemon runs.
    func plugin(of client: ClientIdentity) -> PluginHost.Pass? { clients.withLock { $0[client]?.plugin } }
}
