package import Encoders
package import Foundation
package import Heads
import State
import TensorCore
package import Training

/// What several heads say about some inputs.
package struct Predictions: Sendable {
    /// For each input, each head's answer in the order of the request; none when the input could not be read.
    package var inputs: [[HeadPrediction]]
    /// Input → why it could not be read.
    package var problems: [Int: String]
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
    /// Most inputs of a request that somebody waits for; more count as bulk work.
    private static let fewInputs = 64

    /// Answers of all heads for all inputs; heads that read the same features share one encoder pass.
    package func predict(
        heads names: [String], inputs: [EncoderInput], top: Int, precision: Precision? = nil
    ) async throws -> Predictions {
        guard !names.isEmpty else { throw WorkbenchError(.invalidArgument, "Name at least one head.") }
        var groups: [FeatureGroup] = []
        for (position, name) in names.enumerated() {
            let head = try await heads.head(named: name)
            let loaded = try await encoder(of: head, precision)
            for input in inputs.prefix(1) { try loaded.require(input.modality) }
            let space = loaded.space(tap: head.bundle.description.tap)
            if let index = groups.firstIndex(where: { $0.space == space }) {
                groups[index].heads.append((position, head))
            } else {
                groups.append(
                    FeatureGroup(space: space, loaded: loaded, tap: head.bundle.description.tap, heads: [(position, head)]))
            }
        }
        var result = Predictions(
            inputs: [[HeadPrediction]](
                repeating: [HeadPrediction](repeating: .value(0), count: names.count), count: inputs.count),
            problems: [:], tokens: [Int](repeating: 0, count: inputs.count),
            truncated: [Bool](repeating: false, count: inputs.count), encoded: 0, cached: 0)
        // All groups at once: what they ask of one encoder goes in one batch.
        try await withThrowingTaskGroup(of: (FeatureGroup, Features).self) { tasks in
            for group in groups { tasks.addTask { (group, try await self.features(inputs, of: group.loaded, tap: group.tap)) } }
            for try await (group, features) in tasks {
                let answers = try await group.answers(features, top: top)
                for ((position, _), predictions) in zip(group.heads, answers) {
                    for (row, prediction) in predictions.enumerated() { result.inputs[row][position] = prediction }
                }
                result.tokens = features.tokens
                for (row, truncated) in features.truncated.enumerated() where truncated { result.truncated[row] = true }
                result.problems.merge(features.problems) { first, _ in first }
                result.encoded += features.misses
                result.cached += features.hits
            }
        }
        for row in result.problems.keys { result.inputs[row] = [] }
        return result
    }

    /// Few inputs share batches with everybody's; many are bulk work.
    private func features(_ inputs: [EncoderInput], of loaded: LoadedEncoder, tap: Int) async throws -> Features {
        inputs.count > Self.fewInputs
            ? try await extractor.features(inputs, of: loaded, tap: tap, priority: .bulk)
            : try await extractor.answer(inputs, of: loaded, tap: tap)
    }

    /// Heads that read the same features.
    private struct FeatureGroup: Sendable {
        let space: FeatureSpace
        let loaded: LoadedEncoder
        let tap: Int
        var heads: [(position: Int, head: LoadedHead)]

        /// Each head's answers. Not on the compute thread: a head is a thousandth of the encoder's work, and would wait for another's
        /// unit.
        func answers(_ features: Features, top: Int) async throws -> [[HeadPrediction]] {
            try await Workbench.offPool {
                let table = FeatureTable(Tensor(features.values, [features.rows, features.width]))
                let rows = Array(0..<table.rows)
                return try heads.map { head in
                    try head.head.bundle.encoding.predictions(head.head.bundle.network.evaluate(table, rows: rows), top: top)
                }
            }
        }
    }

    /// The encoder a head was trained on, in whatever precision it is set to; another encoder of the same name gives other features.
    private func encoder(of head: LoadedHead, _ precision: Precision?) async throws -> LoadedEncoder {
        let loaded = try await encoders.encoder(named: head.record.encoder, precision: precision)
        let description = head.bundle.description
        guard loaded.space(tap: description.tap).isSource(ofKey: description.featureSpace) else {
            throw WorkbenchError(
                .unsupported,
                "Head '\(head.record.name)' was trained on other features than encoder '\(head.record.encoder)' gives now. Train it again."
            )
        }
        return loaded
    }

    /// A head as an ONNX model: features in, outputs before any softmax out.
    package func export(head name: String) async throws -> Data {
        let head = try await heads.head(named: name)
        return try await Workbench.offPool { try head.bundle.network.onnx() }
    }

    /// Measures a head on labelled rows.
    package func evaluate(
        head name: String, rows: LabelledRows, separator: Character? = nil, precision: Precision? = nil,
        progress: @escaping ProgressHandler = { _ in }
    ) async throws -> Evaluation {
        guard rows.count > 0 else {
            throw WorkbenchError(.invalidData, "There are no rows to measure on. Is the file empty?")
        }
        let head = try await heads.head(named: name)
        let loaded = try await encoder(of: head, precision)
        for input in rows.inputs.prefix(1) { try loaded.require(input.modality) }
        let own = head.bundle.encoding
        let encoding = LabelEncoding(
            task: own.task, labels: own.labels, separator: separator ?? own.separator, scaling: own.scaling)
        let total = rows.count
        let extracted = try await extractor.features(
            rows.inputs, of: loaded, tap: head.bundle.description.tap, priority: .training
        ) { done, hits in
            progress(JobProgress(.extracting, done: done, total: total, metrics: ["cache_hits": Double(hits)]))
        }
        let readable = (0..<extracted.rows).filter { extracted.problems[$0] == nil }
        guard !readable.isEmpty else {
            throw WorkbenchError(
                .invalidData,
                "None of the \(loaded.encoder.modality.plural) could be read. The first: \(extracted.problems[0] ?? "")."
            )
        }
        let features = readable.count == extracted.rows ? extracted : extracted.selecting(readable)
        let truth = try await Workbench.offPool { try Truth(rows.selecting(readable).labels, encoding) }
        progress(JobProgress(.evaluating, done: 0, total: readable.count))
        let report = try await compute.perform(.training) {
            let table = FeatureTable(Tensor(features.values, [features.rows, features.width]))
            return truth.report(try head.bundle.network.evaluate(table, rows: Array(0..<table.rows)))
        }
        var notes = InputProblems(extracted, rows.inputs).notes
        if let note = truth.note { notes.append(note) }
        if features.truncatedRows > 0 {
            notes.append(
                "\(features.truncatedRows) texts are longer than \(loaded.encoder.maxTokens) tokens and were cut.")
        }
        return Evaluation(task: own.task, report: report, truncatedRows: features.truncatedRows, notes: notes)
    }

    /// Pooled features of inputs: `[inputs, width]`.
    package func embed(
        encoder name: String, inputs: [EncoderInput], tap: String, precision: Precision? = nil
    ) async throws -> Features {
        let loaded = try await encoders.encoder(named: name, precision: precision)
        for input in inputs.prefix(1) { try loaded.require(input.modality) }
        let tap = try loaded.tap(named: tap)
        return try await features(inputs, of: loaded, tap: tap)
    }
}
