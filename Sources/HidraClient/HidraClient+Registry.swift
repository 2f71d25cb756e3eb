public import HidraProtocol

extension HidraClient {
    /// All encoders, heads and runs.
    public func list() async throws -> Hidra_V1_ListReply {
        try await ask(.list(Hidra_V1_ListRequest()), on: .work) {
            if case .listReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// The encoder, head or run of that name.
    public func show(_ name: String) async throws -> Hidra_V1_ShowReply {
        var request = Hidra_V1_ShowRequest()
        request.name = name
        return try await ask(.show(request), on: .work) {
            if case .showReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Deletes a head, or an encoder; the latter only together with its heads.
    public func remove(_ name: String, withHeads: Bool) async throws -> Hidra_V1_RemoveReply {
        var request = Hidra_V1_RemoveRequest()
        request.name = name
        request.withHeads = withHeads
        return try await ask(.remove(request), on: .work) {
            if case .removeReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Fetches, verifies and registers an encoder.
    ///
    /// - Parameter progress: called on the client's thread; must not block.
    public func pull(
        _ request: Hidra_V1_PullRequest, progress: @escaping @Sendable (Hidra_V1_Progress) -> Void = { _ in }
    ) async throws -> Hidra_V1_PullReply {
        try await ask(.pull(request), on: .work, progress: progress) {
            if case .pullReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }
}
