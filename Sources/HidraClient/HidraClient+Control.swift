public import HidraProtocol

extension HidraClient {
    /// What the daemon holds in memory and does.
    public func status() async throws -> Hidra_V1_StatusReply {
        try await ask(.status(Hidra_V1_StatusRequest()), on: .control) {
            if case .statusReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Stops the daemon. What has not finished after `grace` is checkpointed and marked interrupted.
    public func shutdown(grace: Duration) async throws -> Hidra_V1_ShutdownReply {
        var request = Hidra_V1_ShutdownRequest()
        request.graceSeconds = Double(grace.components.seconds) + Double(grace.components.attoseconds) * 1e-18
        return try await ask(.shutdown(request), on: .control) {
            if case .shutdownReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Cancels a job by its id, whoever started it. False when it had already finished.
    public func cancel(job: String) async throws -> Bool {
        var request = Hidra_V1_CancelRequest()
        request.job = job
        return try await ask(.cancel(request), on: .control) {
            if case .cancelReply(let reply) = $0.envelope.kind { reply.cancelled } else { nil }
        }
    }

    /// What happens in the daemon, in order and without gaps: what the events socket drops is asked for again.
    ///
    /// Ends with an error when the connection is lost, at once when the client's role is not enough, and without one when the client is closed.
    ///
    /// - Parameter sequence: first event wanted, 0 for all the daemon still has; nil: only what happens from now on.
    public func events(from sequence: UInt64? = nil) -> AsyncThrowingStream<Hidra_V1_Event, any Error> {
        if let role, role < .ofEvents {
            // A subscription that is refused looks like one to which nothing happens.
            return AsyncThrowingStream { stream in
                stream.finish(
                    throwing: HidraError(
                        .permissionDenied,
                        "Following events needs the role \"\(Role.ofEvents.rawValue)\"; this client has \"\(role.rawValue)\".",
                        details: ["needed": Role.ofEvents.rawValue, "role": role.rawValue]))
            }
        }
        return connection.addFeed(from: sequence)
    }
}
