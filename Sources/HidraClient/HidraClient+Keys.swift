public import HidraProtocol

/// Keys of clients of other machines. All of it needs the role `admin`.
extension HidraClient {
    /// What this client may do.
    public var role: Role? { Role(rawValue: welcome.role) }

    /// Makes a key. Its secret half is in the reply alone: whoever loses it needs a new one.
    public func createKey(_ name: String, role: Role, quota: Hidra_V1_Quota = Hidra_V1_Quota()) async throws -> ClientKey {
        var request = Hidra_V1_CreateKeyRequest()
        request.name = name
        request.role = role.rawValue
        request.quota = quota
        let reply = try await ask(.createKey(request), on: .work) { message -> Hidra_V1_CreateKeyReply? in
            if case .createKeyReply(let reply) = message.envelope.kind { reply } else { nil }
        }
        return ClientKey(
            name: reply.key.name, endpoint: reply.endpoint, serverKey: reply.serverKey, publicKey: reply.key.publicKey,
            secretKey: reply.secretKey)
    }

    /// All keys by name, revoked ones included.
    public func keys() async throws -> [Hidra_V1_Key] {
        try await ask(.listKeys(Hidra_V1_ListKeysRequest()), on: .work) {
            if case .listKeysReply(let reply) = $0.envelope.kind { reply.keys } else { nil }
        }
    }

    /// Nobody connects with the key any more, and the connections it has end.
    public func revokeKey(_ name: String) async throws -> Hidra_V1_Key {
        var request = Hidra_V1_RevokeKeyRequest()
        request.name = name
        return try await ask(.revokeKey(request), on: .work) {
            if case .revokeKeyReply(let reply) = $0.envelope.kind { reply.key } else { nil }
        }
    }
}
