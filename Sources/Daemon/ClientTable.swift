import HidraProtocol
import PluginHost
import Synchronization

/// Who has said hello, and as what.
final class ClientTable: Sendable {
    private struct Entry {
        var name: String
        /// Of a plugin that the daemon runs.
        var plugin: PluginHost.Pass?
        /// Of a plugin, by its token; nil: as its connection says.
        var pluginRole: Role?
        /// What it says that it knows beyond the first messages of the protocol.
        var capabilities: Set<String>
    }

    private let entries = Mutex<[ClientIdentity: Entry]>([:])

    var count: Int { entries.withLock { $0.count } }

    func hasGreeted(_ client: ClientIdentity) -> Bool { entries.withLock { $0[client] != nil } }

    /// A later hello changes the name and the capabilities. The role that a token gave stays, or becomes less.
    func greet(
        _ client: ClientIdentity, name: String, plugin: PluginHost.Pass? = nil, role: Role? = nil, capabilities: [String] = []
    ) {
        entries.withLock { entries in
            let former = entries[client]?.pluginRole
            entries[client] = Entry(
                name: String(name.prefix(128)), plugin: plugin, pluginRole: former.map { min($0, role ?? $0) } ?? role,
                capabilities: Set(capabilities.prefix(256).map { String($0.prefix(64)) }))
        }
    }

    func forget(_ client: ClientIdentity) { entries.withLock { $0[client] = nil } }
    func name(of client: ClientIdentity) -> String { entries.withLock { $0[client]?.name ?? "" } }
    /// Which plugin the client is; nil: none that the daemon runs.
    func plugin(of client: ClientIdentity) -> PluginHost.Pass? { entries.withLock { $0[client]?.plugin } }
    func pluginRole(of client: ClientIdentity) -> Role? { entries.withLock { $0[client]?.pluginRole } }
    func capabilities(of client: ClientIdentity) -> Set<String> { entries.withLock { $0[client]?.capabilities ?? [] } }
}
