import Foundation
import HidraProtocol
import State
import ZeroMQ

/// Makes, lists and revokes the keys of clients of other machines.
struct KeyRequests: Sendable {
    let registry: Registry
    let ring: KeyRing
    let uploads: UploadStore
    /// The daemon's own public key, and where it listens; nil: it does not.
    let serverKey: String
    let address: ServerAddress?
    /// Ends the connections of a key that is off the ring.
    let end: @Sendable (String) -> Void

    /// The secret half leaves with the reply, and is kept nowhere here.
    func create(_ request: Hidra_V1_CreateKeyRequest) async throws -> Hidra_V1_CreateKeyReply {
        guard let role = Role(rawValue: request.role) else {
            throw Failure(
                .invalidArgument,
                "'\(request.role.prefix(64))' is no role; there are \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        guard request.quota.coreSeconds.isFinite, request.quota.coreSeconds >= 0 else {
            throw Failure(.invalidArgument, "A quota of core-seconds must be a number above 0, or 0 for none.")
        }
        let pair = try CurveKeyPair.generate()
        let record = KeyRecord(
            name: request.name, role: role.rawValue, publicKey: pair.publicKey, created: Date().timeIntervalSince1970,
            openRequests: Int(request.quota.openRequests), dataBytes: Int(clamping: request.quota.dataBytes),
            cacheBytes: Int(clamping: request.quota.cacheBytes), coreSeconds: request.quota.coreSeconds)
        try await registry.addKey(record)
        ring.add(record)
        var reply = Hidra_V1_CreateKeyReply()
        reply.key = Hidra_V1_Key(record)
        reply.secretKey = pair.secretKey
        reply.serverKey = serverKey
        reply.endpoint = endpoint
        return reply
    }

    func list() throws -> Hidra_V1_ListKeysReply {
        var reply = Hidra_V1_ListKeysReply()
        reply.keys = try registry.keys().map { Hidra_V1_Key($0) }
        return reply
    }

    func revoke(_ request: Hidra_V1_RevokeKeyRequest) async throws -> Hidra_V1_RevokeKeyReply {
        let record = try await registry.revokeKey(named: request.name, at: Date().timeIntervalSince1970)
        // In this order: a connection that comes between the two is refused, and one that came before is ended.
        ring.remove(name: record.name)
        end(record.name)
        try await uploads.removeAll(ofKey: record.name)
        var reply = Hidra_V1_RevokeKeyReply()
        reply.key = Hidra_V1_Key(record)
        return reply
    }

    /// For clients: a daemon that listens on every interface is reached by its machine's name.
    private var endpoint: String {
        guard let address else { return "" }
        guard ["*", "0.0.0.0", "[::]"].contains(address.host) else { return address.description }
        return "tcp://\(ProcessInfo.processInfo.hostName):\(address.port)"
    }
}

extension Hidra_V1_Key {
    fileprivate init(_ record: KeyRecord) {
        self.init()
        name = record.name
        role = record.role
        publicKey = record.publicKey
        created = record.created
        revoked = record.revoked ?? 0
        quota.openRequests = UInt32(clamping: record.openRequests)
        quota.dataBytes = UInt64(clamping: record.dataBytes)
        quota.cacheBytes = UInt64(clamping: record.cacheBytes)
        quota.coreSeconds = record.coreSeconds
    }
}
