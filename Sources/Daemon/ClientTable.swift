import HidraProtocol
import Synchronization

/// Who has said hello.
final class ClientTable: Sendable {
    private let names = Mutex<[ClientIdentity: String]>([:])

    var count: Int { names.withLock { $0.count } }

    func hasGreeted(_ client: ClientIdentity) -> Bool { names.withLock { $0[client] != nil } }
    func greet(_ client: ClientIdentity, name: String) { names.withLock { $0[client] = String(name.prefix(128)) } }
    func forget(_ client: ClientIdentity) { names.withLock { $0[client] = nil } }
    func name(of client: ClientIdentity) -> String { names.withLock { $0[client] ?? "" } }
}
