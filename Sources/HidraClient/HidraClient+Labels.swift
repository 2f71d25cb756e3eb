public import HidraProtocol

/// For data with few labels, or none.
extension HidraClient {
    /// How a head's score grows with the number of labelled rows, which were uploaded before.
    ///
    /// - Parameter progress: called on the client's thread; must not block.
    public func learningCurve(
        _ request: Hidra_V1_LearningCurveRequest, progress: @escaping @Sendable (Hidra_V1_Progress) -> Void = { _ in }
    ) async throws -> Hidra_V1_LearningCurveReply {
        try await ask(.learningCurve(request), on: .work, progress: progress) {
            if case .learningCurveReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Groups rows uploaded before by their embeddings.
    ///
    /// - Parameter progress: called on the client's thread; must not block.
    public func cluster(
        _ request: Hidra_V1_ClusterRequest, progress: @escaping @Sendable (Hidra_V1_Progress) -> Void = { _ in }
    ) async throws -> Hidra_V1_ClusterReply {
        try await ask(.cluster(request), on: .work, progress: progress) {
            if case .clusterReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }

    /// Which of the rows uploaded before are most worth labelling for a head.
    ///
    /// - Parameter progress: called on the client's thread; must not block.
    public func suggest(
        _ request: Hidra_V1_SuggestRequest, progress: @escaping @Sendable (Hidra_V1_Progress) -> Void = { _ in }
    ) async throws -> Hidra_V1_SuggestReply {
        try await ask(.suggest(request), on: .work, progress: progress) {
            if case .suggestReply(let reply) = $0.envelope.kind { reply } else { nil }
        }
    }
}
