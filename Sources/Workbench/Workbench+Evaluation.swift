package import Encoders
package import Heads
import Scheduling
import State
package import Training

/// How a head did on labelled rows.
package struct Evaluation: Sendable {
    package var task: HeadTask
    package var report: Report
    package var truncatedRows: Int
    package var notes: [String]
}

extension Workbench {
    /// Measures a head on labelled rows, whose columns are in the order of the head's.
    package func evaluate(
        head name: String, rows: LabelledRows, separator: Character? = nil, precision: Precision? = nil,
        progress: @escaping ProgressHandler = { _ in }
    ) async throws -> Evaluation {
        guard rows.count > 0 else {
            throw WorkbenchError(.invalidData, "There are no rows to measure on. Is the file empty?")
        }
        let head = try await heads.head(named: name)
        let sources = try await sources(of: head, precision)
        try head.requireColumns(rows.columns.count)
        let rows = LabelledRows(columns: try await preprocessed(rows.columns, for: head), labels: rows.labels)
        try sources.require(rows.columns)
        let own = head.bundle.encoding
        let encoding = LabelEncoding(
            task: own.task, labels: own.labels, separator: separator ?? own.separator, scaling: own.scaling,
            calibration: own.calibration)
        let total = rows.count * Set(sources.map(\.identity)).count
        let extracted = try await extractor.features(rows.columns, for: sources, priority: .training) { done, hits in
            progress(JobProgress(.extracting, done: done, total: total, metrics: ["cache_hits": Double(hits)]))
        }
        let problems = extracted.problems, readable = (0..<extracted.rows).filter { problems[$0] == nil }
        guard !readable.isEmpty else {
            throw WorkbenchError(.invalidData, "None of the images could be read. The first: \(problems[0] ?? "").")
        }
        var features = readable.count == extracted.rows ? extracted : extracted.selecting(readable)
        if own.task == .tag {
            try WordStates.requireLabels(rows.labels, of: rows.columns[0])
            features = try await WordStates.reduced(features, rows.columns[0], sources[0])
        }
        let read = features
        let truth = try await Workbench.offPool { try Truth(rows.selecting(readable).labels, encoding) }
        progress(JobProgress(.evaluating, done: 0, total: readable.count))
        let report = try await compute.perform(.training) {
            let table = read.table
            return try truth.report(head.bundle.network, table, rows: Array(0..<table.rows))
        }
        var notes = InputProblems(extracted, rows.columns).notes
        if let note = truth.note { notes.append(note) }
        if let note = sources.truncationNote(features) { notes.append(note) }
        return Evaluation(task: own.task, report: report, truncatedRows: features.truncatedRows, notes: notes)
    }

    /// The features a head was trained on, in whatever precision; another encoder of the same name gives other ones.
    func sources(of head: LoadedHead, _ precision: Precision?) async throws -> [FeatureSource] {
        try await .of(head) { try await encoders.encoder(named: $0, precision: precision) }
    }
}

extension LoadedHead {
    /// - Throws: `invalidArgument` naming the columns the head reads.
    func requireColumns(_ count: Int) throws {
        let columns = record.columns
        guard count != columns.count else { return }
        let names = columns.map { $0.isEmpty ? "one" : "'\($0)'" }.joined(separator: ", ")
        throw WorkbenchError(
            .invalidArgument,
            columns.count == 1
                ? "Head '\(record.name)' reads one column, and \(count) are given."
                : "Head '\(record.name)' reads \(columns.count) columns, \(names), and \(count == 1 ? "one is" : "\(count) are") given. "
                    + "Give each row a text for each of them, in this order.",
            details: ["columns": columns.joined(separator: ",")])
    }
}
