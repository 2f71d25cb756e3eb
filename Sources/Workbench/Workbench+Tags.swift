import Encoders
import Heads
import Scheduling
import State
import TensorCore
import Training

extension Workbench {
    /// Answers of heads some of which label words; nil when none does.
    func predictTags(_ all: [LoadedHead], _ asked: Question) async throws -> Predictions? {
        func isTagger(_ head: LoadedHead) -> Bool { head.bundle.description.task == .tag }
        guard all.contains(where: isTagger) else { return nil }
        var parts: [(positions: [Int], predictions: Predictions)] = []
        let others = all.indices.filter { !isTagger(all[$0]) }
        if !others.isEmpty {
            parts.append((others, try await predict(others.map { all[$0] }, asked)))
        }
        for position in all.indices where isTagger(all[position]) {
            parts.append(([position], try await tags(all[position], asked)))
        }
        return Predictions(joining: parts, heads: all.count)
    }

    /// Answers of a head that labels words, with what a client does for it. Pieces lie in the texts as they were asked about, whatever a
    /// client has made of their words.
    func tags(_ head: LoadedHead, _ asked: Question) async throws -> Predictions {
        let texts = asked.columns[0], read = try await preprocessed([texts], for: head)[0]
        try WordStates.requireWords(of: read, asIn: texts, head.record.name)
        let sources = try await sources(of: head, asked.precision)
        try sources.require([read])
        let features = try await extractor.features([read], for: sources, priority: asked.priority, keep: false)
        let words = try await WordStates.reduced(features, read, sources[0])
        let answers =
            texts.isEmpty || head.record.calls?.contains(.postprocess) != true
            ? try await Workbench.offPool {
                let table = words.table
                let paths = try head.bundle.network.tags(table, rows: Array(0..<table.rows))
                return WordStates.spans(paths, texts, head.record.labels)
            } : try await spansOfClient(head, texts, words)
        return Predictions(
            inputs: answers.map { [$0] }, problems: [:], tokens: features.inputs[0].tokens, truncated: features.truncated,
            encoded: features.misses, cached: features.hits)
    }
}

extension Workbench {
    /// What the client that serves a head makes of the emissions.
    private func spansOfClient(_ head: LoadedHead, _ texts: [EncoderInput], _ words: RowFeatures) async throws -> [HeadPrediction] {
        var question = CallQuestion(.postprocess, head: head.record.name, task: .tag)
        let (outputs, lengths) = try await Workbench.offPool {
            let table = words.table, rows = Array(0..<table.rows)
            return (try head.bundle.network.evaluate(table, rows: rows).values, table.batch(rows[...]).lengths(0))
        }
        question.columns = [(head.record.columns[0], texts)]
        question.labels = head.record.labels
        question.lengths = lengths
        (question.outputs, question.rows, question.width) = (outputs, lengths.reduce(0, +), head.record.labels.count)
        return try await served.callee(for: head.record).ask(question).predictions
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
