import HidraProtocol
import State
import Synchronization

/// The keys that may connect over the network now. What the registry holds of them, in memory: it is asked for every message.
package final class KeyRing: Sendable {
    /// What a message's key allows.
    struct Entry: Sendable {
        let name: String
        let role: Role
        let quota: Quota
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var publicKeys: [String: String] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    convenience init(_ records: [KeyRecord]) {
        self.init()
        for record in records { add(record) }
    }

    /// Does nothing for a revoked key, or one of a role this version does not know.
    func add(_ record: KeyRecord) {
        guard record.revoked == nil, let role = Role(rawValue: record.role) else { return }
        let entry = Entry(name: record.name, role: role, quota: Quota(record))
        state.withLock { state in
            state.entries[record.publicKey] = entry
            state.publicKeys[record.name] = record.publicKey
        }
    }

    func remove(name: String) {
        state.withLock { state in
            if let key = state.publicKeys.removeValue(forKey: name) { state.entries[key] = nil }
        }
    }

    /// nil for a key that is unknown or revoked.
    func entry(publicKey: String) -> Entry? { state.withLock { $0.entries[publicKey] } }

    /// nil for a name whose key is unknown or revoked.
    func entry(name: String) -> Entry? {
        state.withLock { state in state.publicKeys[name].flatMap { state.entries[$0] } }
    }
}
