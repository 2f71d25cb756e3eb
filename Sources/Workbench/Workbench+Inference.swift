import Encoders
package import Heads
import TensorCore
package import Training

/// What several heads say about some texts.
package struct Predictions: Sendable {
    /// For each text, each head's answer in the order of the request.
    package var texts: [[HeadPrediction]]
    package var tokens: [Int]
    package var truncated: [Bool]
    package var encoded: Int, cached: Int
}

/// How a head did on labelled rows.
package struct Evaluation: Sendable {
    package var task: HeadTask
    package var report: Report
    package var truncatedRows: Int
    package var notes: [String]
}

extension Workbench {
    /// Answers of all heads for all texts; heads that read the same features share one encoder pass.
    package func predict(heads names: [String], texts: [String], top: Int) async throws -> Predictions {
        guard !names.isEmpty else { throw WorkbenchError(.invalidArgument, "Name at least one head.") }
        var groups: [FeatureGroup] = []
        for (position, name) in names.enumerated() {
            let head = try await heads.head(named: name)
            let loaded = try await encoder(of: head)
            let key = head.bundle.description.featureSpace
            if let index = groups.firstIndex(where: { $0.key == key }) {
                groups[index].heads.append((position, head))
            } else {
                groups.append(FeatureGroup(key: key, loaded: loaded, tap: head.bundle.description.tap, heads: [(position, head)]))
            }
        }
        var result = Predictions(
            texts: [[HeadPrediction]](repeating: [HeadPrediction](repeating: .value(0), count: names.count), count: texts.count),
            tokens: [Int](repeating: 0, count: texts.count), truncated: [Bool](repeating: false, count: texts.count), encoded: 0,
            cached: 0)
        for group in groups {
            let features = try await extractor.features(
                texts, of: group.loaded, tap: group.tap, priority: texts.count > 64 ? .bulk : .interactive, keep: false)
            let heads = group.heads.map(\.head)
            // Not on the compute thread: a head is a thousandth of the encoder's work, and would wait for another's unit.
            let answers = try await Workbench.offPool {
                let table = FeatureTable(Tensor(features.values, [features.rows, features.width]))
                return heads.map { head in
                    head.bundle.encoding.predictions(head.bundle.network.evaluate(table, rows: Array(0..<table.rows)), top: top)
                }
            }
            for ((position, _), predictions) in zip(group.heads, answers) {
                for (row, prediction) in predictions.enumerated() { result.texts[row][position] = prediction }
            }
            result.tokens = features.tokens
            for (row, truncated) in features.truncated.enumerated() where truncated { result.truncated[row] = true }
            result.encoded += features.misses
            result.cached += features.hits
        }
        return result
    }

    private struct FeatureGroup {
        let key: String
        let loaded: LoadedEncoder
        let tap: Int
        var heads: [(position: Int, head: LoadedHead)]
    }

    /// The encoder a head was trained on; another encoder of the same name gives other features.
    private func encoder(of head: LoadedHead) async throws -> LoadedEncoder {
        let loaded = try await encoders.encoder(named: head.record.encoder)
        let description = head.bundle.description
        guard loaded.space(tap: description.tap).key == description.featureSpace else {
            throw WorkbenchError(
                .unsupported,
                "Head '\(head.record.name)' was trained on other features than encoder '\(head.record.encoder)' gives now. Train it again.")
        }
        return loaded
    }

    /// Measures a head on labelled rows.
    package func evaluate(
        head name: String, rows: LabelledTexts, separator: Character? = nil, progress: @escaping ProgressHandler = { _ in }
    ) async throws -> Evaluation {
        guard !rows.texts.isEmpty else { throw WorkbenchError(.invalidData, "There are no rows to measure on. Is the file empty?") }
        let head = try await heads.head(named: name)
        let loaded = try await encoder(of: head)
        let own = head.bundle.encoding
        let encoding = LabelEncoding(
            task: own.task, labels: own.labels, separator: separator ?? own.separator, scaling: own.scaling)
        let truth = try await Workbench.offPool { try Truth(rows.labels, encoding) }
        let total = rows.texts.count
        let features = try await extractor.features(
            rows.texts, of: loaded, tap: head.bundle.description.tap, priority: .training
        ) { done, hits in
            progress(JobProgress(.extracting, done: done, total: total, metrics: ["cache_hits": Double(hits)]))
        }
        progress(JobProgress(.evaluating, done: 0, total: total))
        let report = try await compute.perform(.training) {
            let table = FeatureTable(Tensor(features.values, [features.rows, features.width]))
            return truth.report(head.bundle.network.evaluate(table, rows: Array(0..<table.rows)))
        }
        var notes: [String] = []
        if let note = truth.note { notes.append(note) }
        if features.truncatedRows > 0 {
            notes.append("\(features.truncatedRows) texts are longer than \(loaded.encoder.maxTokens) tokens and were cut.")
        }
        return Evaluation(task: own.task, report: report, truncatedRows: features.truncatedRows, notes: notes)
    }

    /// Pooled features of texts: `[texts, width]`.
    package func embed(encoder name: String, texts: [String], tap: Int?) async throws -> Features {
        let loaded = try await encoders.encoder(named: name)
        let tap = tap ?? loaded.encoder.layers
        guard (0...loaded.encoder.layers).contains(tap) else {
            throw WorkbenchError(
                .invalidArgument, "Encoder '\(name)' has taps 0 to \(loaded.encoder.layers) (0: embeddings); there is no tap \(tap).")
        }
        let many = texts.count > 64
        return try await extractor.features(texts, of: loaded, tap: tap, priority: many ? .bulk : .interactive, keep: many)
    }
}
