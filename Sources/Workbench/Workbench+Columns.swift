package import Encoders
import Heads
import Scheduling
import State
import Training

extension Workbench {
    /// Answers of all heads for all rows. Heads that read the same features share one encoder pass, whatever form their other inputs
    /// have.
    ///
    /// - Parameter columns: all of as many rows, in the order of each head's columns.
    package func predict(
        heads names: [String], columns: [[EncoderInput]], top: Int, precision: Precision? = nil
    ) async throws -> Predictions {
        guard !names.isEmpty else { throw WorkbenchError(.invalidArgument, "Name at least one head.") }
        var read: [(head: LoadedHead, sources: [FeatureSource])] = []
        for name in names {
            let head = try await heads.head(named: name)
            try head.requireColumns(columns.count)
            read.append((head, []))
        }
        if read.contains(where: { $0.head.record.calls != nil }) {
            return try await predictServed(read.map(\.head), columns, top: top, precision: precision)
        }
        if read.allSatisfy({ $0.head.record.inputs == nil }) {
            return try await predict(read.map(\.head), inputs: columns.first ?? [], top: top, precision: precision)
        }
        if let tagged = try await predictTags(read.map(\.head), columns, top: top, precision: precision) { return tagged }
        for index in read.indices {
            read[index].sources = try await sources(of: read[index].head, precision)
            try read[index].sources.require(columns)
        }
        let rows = columns[0].count
        let all = read.flatMap(\.sources)
        let features = try await extractor.features(
            columns, for: all, priority: rows > Self.fewInputs ? .bulk : .interactive, keep: false)
        var parts: [(head: LoadedHead, features: RowFeatures)] = [], first = 0
        for (head, sources) in read {
            let own = Array(features.inputs[first..<first + sources.count])
            parts.append((head, RowFeatures(own, sources: sources)))
            first += sources.count
        }
        let heads = parts
        let answers = try await Workbench.offPool {
            try heads.map { head, features in
                let table = features.table
                return try head.bundle.encoding.predictions(
                    head.bundle.network.evaluate(table, rows: Array(0..<table.rows)), top: top)
            }
        }
        let problems = features.problems
        return Predictions(
            inputs: (0..<rows).map { row in problems[row] == nil ? answers.map { $0[row] } : [] }, problems: problems,
            tokens: (0..<rows).map { row in features.tokens(row, of: columns.count, all) }, truncated: features.truncated,
            encoded: features.misses, cached: features.hits)
    }
}

extension RowFeatures {
    /// Tokens of a row: each column's once, by the first source that reads it.
    fileprivate func tokens(_ row: Int, of columns: Int, _ sources: [FeatureSource]) -> Int {
        (0..<columns).reduce(0) { total, column in
            total + (sources.firstIndex { $0.column == column }.map { inputs[$0].tokens[row] } ?? 0)
        }
    }
}
