package import Encoders
import FewLabels
package import Heads
import Scheduling
import State
import TensorCore
import Training

/// Rows most worth labelling, in the order they were chosen.
package struct Suggestions: Sendable {
    package struct Row: Sendable {
        package var row: Int
        /// The head's best guesses.
        package var labels: [LabelScore]
        package var uncertainty: Double
    }

    package var rows: [Row]
    /// Rows that repeat another row's inputs.
    package var duplicates: Int
    package var notes: [String]
}

extension Workbench {
    package static let mostSuggestions = 10_000

    /// The rows without labels that would teach a head most.
    ///
    /// - Parameter columns: in the order of the head's.
    package func suggest(
        head name: String, columns: [[EncoderInput]], count: Int, precision: Precision? = nil,
        progress: @escaping ProgressHandler = { _ in }
    ) async throws -> Suggestions {
        guard (1...Self.mostSuggestions).contains(count) else {
            throw WorkbenchError(.invalidArgument, "\(count) suggestions were asked for; take 1 to \(Self.mostSuggestions).")
        }
        let head = try await heads.head(named: name)
        let task = head.bundle.description.task
        guard task == .classify || task == .multilabel else {
            throw WorkbenchError(
                .unsupported, "Head '\(name)' is of the task \(task.rawValue), whose answers have no probabilities to be unsure by.")
        }
        try head.requireColumns(columns.count)
        let sources = try await sources(of: head, precision)
        let columns = try await preprocessed(columns, for: head)
        try sources.require(columns)
        // Each row once: to label the same input twice teaches nothing.
        let distinct = try await Workbench.offPool {
            var kept: [Int] = [], seen: Set<[InputDigest]> = []
            for row in columns[0].indices where seen.insert(columns.map { InputDigest(of: $0[row]) }).inserted { kept.append(row) }
            return kept
        }
        let own = columns.map { column in distinct.map { column[$0] } }
        let features = try await extractor.features(own, for: sources, priority: .training) { done, hits in
            progress(JobProgress(.extracting, done: done, total: distinct.count, metrics: ["cache_hits": Double(hits)]))
        }
        let problems = features.problems
        let chosen = try await compute.perform(.training) {
            let table = features.table, readable = (0..<table.rows).filter { problems[$0] == nil }
            guard !readable.isEmpty else { return [Suggestions.Row]() }
            let encoding = head.bundle.encoding, width = encoding.outputs
            let outputs = try head.bundle.network.evaluate(table, rows: readable)
            let divisor = Tensor(scalar: Float(1 / (encoding.calibration?.temperature ?? 1)))
            let scaled = Multiply()(outputs, divisor)
            let probabilities = (task == .classify ? Softmax()(scaled) : Sigmoid()(scaled)).values
            let uncertainties = readable.indices.map { row in
                let part = probabilities[row * width..<(row + 1) * width]
                return task == .classify ? Suggestion.uncertainty(part) : Suggestion.uncertainty(independent: part)
            }
            let positions = Suggestion.choose(count, of: Self.points(table, readable), uncertainties: uncertainties)
            let answers = encoding.predictions(outputs, top: min(3, width))
            return positions.map { position in
                guard case .labels(let labels) = answers[position] else { preconditionFailure("a label was expected") }
                return Suggestions.Row(row: distinct[readable[position]], labels: labels, uncertainty: uncertainties[position])
            }
        }
        var result = Suggestions(rows: chosen, duplicates: columns[0].count - distinct.count, notes: [])
        if !problems.isEmpty { result.notes.append("\(problems.count) inputs could not be read and are not suggested.") }
        if chosen.count < count { result.notes.append("There are only \(chosen.count) different rows to suggest.") }
        return result
    }

    /// A point of length 1 for each row: the vectors of all inputs side by side, of token states their mean.
    private static func points(_ table: FeatureTable, _ rows: [Int]) -> Tensor {
        let batch = table.batch(rows[...])
        let parts = table.columns.enumerated().map { index, column -> Tensor in
            switch column {
            case .vectors: return L2Normalisation()(batch.vectors(index))
            case .states:
                return L2Normalisation()(MeanPooling(SequenceOffsets(lengths: batch.lengths(index)))(batch.packed(index)))
            }
        }
        return L2Normalisation()(parts.count == 1 ? parts[0] : Concatenate(axis: 1).apply(parts)).contiguous()
    }
}
