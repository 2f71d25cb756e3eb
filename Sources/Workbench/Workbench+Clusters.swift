package import Encoders
package import FewLabels
import Scheduling
import State
import TensorCore

/// Rows in groups, with proposals for names.
package struct ClusterOutcome: Sendable {
    package var clustering: Clustering
    /// Rows that could be read: those the clustering is about.
    package var rows: [Int]
    /// Of each cluster; none for images.
    package var names: [String], words: [[String]]
    package var notes: [String]
}

extension Workbench {
    package static let mostClusters = 1_000, mostStarts = 100

    /// Groups inputs by their embeddings.
    ///
    /// - Parameter clusters: nil: chosen by the silhouette.
    package func cluster(
        encoder name: String, inputs: [EncoderInput], tap: String = "", clusters: Int? = nil, seed: UInt64 = 0, starts: Int = 8,
        precision: Precision? = nil, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> ClusterOutcome {
        if let clusters, !(1...Self.mostClusters).contains(clusters) {
            throw WorkbenchError(.invalidArgument, "\(clusters) clusters were asked for; take 1 to \(Self.mostClusters), or \"auto\".")
        }
        guard (1...Self.mostStarts).contains(starts) else {
            throw WorkbenchError(.invalidArgument, "\(starts) beginnings were asked for; take 1 to \(Self.mostStarts).")
        }
        progress(JobProgress(.loading, unit: "encoders"))
        let loaded = try await encoders.encoder(named: name, precision: precision), position = try loaded.tap(named: tap)
        for input in inputs.prefix(1) { try loaded.require(input.modality) }
        let features = try await extractor.features(inputs, of: loaded, tap: position, priority: .training) { done, hits in
            progress(JobProgress(.extracting, done: done, total: inputs.count, metrics: ["cache_hits": Double(hits)]))
        }
        let rows = (0..<features.rows).filter { features.problems[$0] == nil }
        guard rows.count >= max(clusters ?? 2, 2) else {
            throw WorkbenchError(
                .invalidData, "\(rows.count) rows cannot make \(clusters.map { String($0) } ?? "two or more") clusters. Give more rows, or ask for fewer.")
        }
        let readable = rows.count == features.rows ? features : features.selecting(rows)
        let clustering = try await compute.run(.training) {
            ClusterTask(features: readable, clusters: clusters, seed: seed, starts: starts, progress: progress)
        }
        var outcome = ClusterOutcome(clustering: clustering, rows: rows, names: [], words: [], notes: [])
        if rows.count < features.rows {
            outcome.notes.append("\(features.rows - rows.count) inputs could not be read and are in no cluster.")
        }
        let texts = rows.compactMap { if case .text(let text) = inputs[$0] { text } else { nil } }
        if texts.count == rows.count {
            let words = try await Workbench.offPool {
                DistinguishingWords(texts, clustering.assignment, clusters: clustering.sizes.count)
            }
            (outcome.names, outcome.words) = (words.names, words.words)
        }
        return outcome
    }
}

private struct ClusterTask: ComputeTask {
    private var search: ClusterSearch
    private let progress: ProgressHandler

    init(features: Features, clusters: Int?, seed: UInt64, starts: Int, progress: @escaping ProgressHandler) {
        let points = L2Normalisation()(Tensor(features.values, [features.rows, features.width])).contiguous()
        search = ClusterSearch(points, clusters: clusters, seed: seed, starts: starts)
        self.progress = progress
    }

    mutating func step() -> Clustering? {
        let result = search.step()
        progress(JobProgress(.clustering, done: search.done, total: search.total, unit: "beginnings"))
        return result
    }
}
