public import HidraProtocol

extension HidraClient {
    /// Starts a session on rows uploaded before: it runs in the daemon when this returns, whatever becomes of this program.
    public func startSession(_ request: Hidra_V1_StartSessionRequest) async throws -> Hidra_V1_StartSessionReply {
        try await ask(.startSession(request), on: .work) {
            if case .startSessionReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Sessions, the latest first.
    public func listSessions() async throws -> [Hidra_V1_Session] {
        try await ask(.listSessions(Hidra_V1_ListSessionsRequest()), on: .work) {
            if case .listSessionsReply(let reply) = $0.envelope.kind { reply.sessions } else { nil }
        }
    }

    public func session(_ name: String) async throws -> Hidra_V1_Session {
        var request = Hidra_V1_ShowSessionRequest()
        request.name = name
        return try await ask(.showSession(request), on: .work) {
            if case .showSessionReply(let reply) = $0.envelope.kind { reply.session } else { nil }
        }
    }

    /// Follows a session until it pauses or ends.
    ///
    /// - Parameters:
    ///   - interval: milliseconds between two messages; 0: 200.
    ///   - take: called on the client's thread; must not block.
    /// - Returns: the session as it is then.
    public func watchSession(
        _ name: String, interval: Int = 0, _ take: @escaping @Sendable (Hidra_V1_SessionProgress) -> Void
    ) async throws -> Hidra_V1_Session {
        var request = Hidra_V1_WatchSessionRequest()
        request.name = name
        request.intervalMilliseconds = UInt32(clamping: interval)
        return try await ask(
            .watchSession(request), on: .work,
            call: { if case .sessionProgress(let progress) = $0.envelope.kind { take(progress) } }
        ) {
            if case .watchSessionReply(let reply) = $0.envelope.kind { reply.session } else { nil }
        }
    }

    /// Pauses, resumes, cancels or forgets a session.
    ///
    /// - Parameter files: of a resumption, the document's files as they are now, to be compared.
    public func controlSession(
        _ name: String, _ action: Hidra_V1_ControlSessionRequest.Action, files: [Hidra_V1_SessionFile] = []
    ) async throws -> Hidra_V1_ControlSessionReply {
        var request = Hidra_V1_ControlSessionRequest()
        request.name = name
        request.action = action
        request.files = files
        return try await ask(.controlSession(request), on: .work) {
            if case .controlSessionReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }
}
