import Encoders
import FewLabels
import Heads
import HidraProtocol
import Workbench

/// For data with few labels, or none.
extension WorkRequests {
    func learningCurve(
        _ request: Hidra_V1_LearningCurveRequest, _ training: TrainingRequest, _ job: JobHandle
    ) async throws -> Answer {
        guard !request.training.hasContrastive, !request.training.hasSearch, !request.training.hasSelfTraining else {
            throw Failure(
                .invalidArgument, "A learning curve trains heads as they are: without a search, rows without labels, or tuning on pairs.")
        }
        let start = ContinuousClock.now
        let outcome = try await workbench.learningCurve(
            training, shares: request.shares, seeds: request.seeds == 0 ? 3 : Int(request.seeds)
        ) { job.report($0) }
        var reply = Hidra_V1_LearningCurveReply()
        reply.points = outcome.curve.points.map { point in
            var message = Hidra_V1_LearningCurvePoint()
            message.share = point.share
            message.rows = UInt64(point.rows)
            message.scores = point.scores
            message.mean = point.mean
            message.deviation = point.deviation
            return message
        }
        reply.metric = outcome.curve.metric
        reply.answer = outcome.curve.answer
        reply.moreWouldHelp = outcome.curve.moreWouldHelp
        reply.testRows = UInt64(outcome.testRows)
        reply.notes = outcome.notes
        reply.seconds = (ContinuousClock.now - start) / .seconds(1)
        return Answer(.learningCurveReply(reply))
    }

    func cluster(_ request: Hidra_V1_ClusterRequest, _ inputs: [EncoderInput], _ job: JobHandle) async throws -> Answer {
        let start = ContinuousClock.now
        let outcome = try await workbench.cluster(
            encoder: request.encoder, inputs: inputs, tap: request.tap,
            clusters: request.clusters == 0 ? nil : Int(request.clusters), seed: request.seed,
            starts: request.starts == 0 ? 8 : Int(request.starts), precision: try Precision(wire: request.precision)
        ) { job.report($0) }
        var reply = Hidra_V1_ClusterReply(outcome, rows: inputs.count)
        reply.seconds = (ContinuousClock.now - start) / .seconds(1)
        return Answer(.clusterReply(reply))
    }

    /// Taken when the request arrives.
    func columns(of request: Hidra_V1_SuggestRequest, _ client: ClientIdentity) throws -> [[EncoderInput]] {
        let table = try data.table(request.data, client: client)
        return try request.inputColumns.map { try inputs(of: table, $0) }
    }

    func suggest(_ request: Hidra_V1_SuggestRequest, _ columns: [[EncoderInput]], _ job: JobHandle) async throws -> Answer {
        let start = ContinuousClock.now
        let outcome = try await workbench.suggest(
            head: request.head, columns: columns, count: Int(request.count), precision: try Precision(wire: request.precision)
        ) { job.report($0) }
        var reply = Hidra_V1_SuggestReply()
        reply.suggestions = outcome.rows.map { row in
            var message = Hidra_V1_Suggestion()
            message.row = UInt64(row.row)
            message.labels = row.labels.map { label in
                var score = Hidra_V1_Score()
                (score.label, score.score) = (label.label, label.score)
                return score
            }
            message.uncertainty = row.uncertainty
            return message
        }
        reply.duplicates = UInt64(outcome.duplicates)
        reply.notes = outcome.notes
        reply.seconds = (ContinuousClock.now - start) / .seconds(1)
        return Answer(.suggestReply(reply))
    }
}

extension Hidra_V1_ClusterReply {
    /// Rows shown of each cluster.
    private static let shown = 5

    fileprivate init(_ outcome: ClusterOutcome, rows: Int) {
        self.init()
        let clustering = outcome.clustering
        assignment = [UInt32](repeating: .max, count: rows)
        distances = [Float](repeating: .nan, count: rows)
        for (position, row) in outcome.rows.enumerated() {
            assignment[row] = UInt32(clustering.assignment[position])
            distances[row] = clustering.distances[position]
        }
        clusters = clustering.sizes.indices.map { index in
            var cluster = Hidra_V1_Cluster()
            cluster.name = index < outcome.names.count ? outcome.names[index] : ""
            cluster.words = index < outcome.words.count ? outcome.words[index] : []
            cluster.rows = UInt64(clustering.sizes[index])
            cluster.nearest = clustering.nearest(index, count: Self.shown).map { UInt64(outcome.rows[$0]) }
            return cluster
        }
        silhouette = clustering.silhouette
        notes = outcome.notes
    }
}
