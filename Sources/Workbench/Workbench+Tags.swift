import Encoders
import Heads
import Scheduling
import State
import Training

extension Workbench {
    /// Answers of heads some of which label words; nil when none does.
    func predictTags(
        _ all: [LoadedHead], _ columns: [[EncoderInput]], top: Int, precision: Precision?
    ) async throws -> Predictions? {
        func isTagger(_ head: LoadedHead) -> Bool { head.bundle.description.task == .tag }
        guard all.contains(where: isTagger) else { return nil }
        let texts = columns[0]
        var parts: [(positions: [Int], predictions: Predictions)] = []
        let others = all.indices.filter { !isTagger(all[$0]) }
        if !others.isEmpty {
            let names = others.map { all[$0].record.name }
            parts.append((others, try await predict(heads: names, columns: columns, top: top, precision: precision)))
        }
        for position in all.indices where isTagger(all[position]) {
            parts.append(([position], try await tags(all[position], texts, precision)))
        }
        return Predictions(joining: parts, heads: all.count)
    }

    private func tags(_ head: LoadedHead, _ texts: [EncoderInput], _ precision: Precision?) async throws -> Predictions {
        let sources = try await sources(of: head, precision)
        try sources.require([texts])
        let features = try await extractor.features(
            [texts], for: sources, priority: texts.count > Self.fewInputs ? .bulk : .interactive, keep: false)
        let words = try await WordStates.reduced(features, texts, sources[0])
        let answers = try await Workbench.offPool {
            let table = words.table
            let paths = try head.bundle.network.tags(table, rows: Array(0..<table.rows))
            return WordStates.spans(paths, texts, head.record.labels)
        }
        return Predictions(
            inputs: answers.map { [$0] }, problems: [:], tokens: features.inputs[0].tokens, truncated: features.truncated,
            encoded: features.misses, cached: features.hits)
    }
}

extension Predictions {
    /// What several requests said about the same inputs, each for the heads at its positions.
    init(joining parts: [(positions: [Int], predictions: Predictions)], heads: Int) {
        self = parts[0].predictions
        inputs = inputs.indices.map { row in
            var answers = [HeadPrediction?](repeating: nil, count: heads)
            for (positions, predictions) in parts {
                for (position, answer) in zip(positions, predictions.inputs[row]) { answers[position] = answer }
            }
            // An input that one cannot read has no answers.
            return answers.contains { $0 == nil } ? [] : answers.compactMap { $0 }
        }
        for (_, predictions) in parts.dropFirst() {
            problems.merge(predictions.problems) { first, _ in first }
            for (row, isTruncated) in predictions.truncated.enumerated() where isTruncated { truncated[row] = true }
            encoded += predictions.encoded
            cached += predictions.cached
        }
    }
}
