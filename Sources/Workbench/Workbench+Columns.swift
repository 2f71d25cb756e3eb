package import Encoders
import Heads
package import Scheduling
import State
import Training

extension Workbench {
    /// Heads to be asked about rows of so many columns.
    ///
    /// - Throws: `notFound`; `invalidArgument` for a head that reads another number of columns.
    package func heads(named names: [String], columns: Int) async throws -> [LoadedHead] {
        guard !names.isEmpty else { throw WorkbenchError(.invalidArgument, "Name at least one head.") }
        var all: [LoadedHead] = []
        for name in names {
            let head = try await heads.head(named: name)
            try head.requireColumns(columns)
            all.append(head)
        }
        return all
    }

    /// Answers of all heads for all rows. Heads that read the same features share one encoder pass, whatever form their other inputs
    /// have.
    ///
    /// - Parameters:
    ///   - columns: all of as many rows, in the order of each head's columns.
    ///   - priority: nil: as many rows want it.
    package func predict(
        _ heads: [LoadedHead], columns: [[EncoderInput]], top: Int, precision: Precision? = nil, priority: Priority? = nil
    ) async throws -> Predictions {
        let rows = columns.first?.count ?? 0
        let asked = Question(
            columns: columns, top: top, precision: precision, priority: priority ?? (rows > Self.fewInputs ? .bulk : .interactive))
        return try await predict(heads, asked)
    }

    package func predict(
        heads names: [String], columns: [[EncoderInput]], top: Int, precision: Precision? = nil
    ) async throws -> Predictions {
        try await predict(heads(named: names, columns: columns.count), columns: columns, top: top, precision: precision)
    }

    /// What heads are asked.
    struct Question: Sendable {
        var columns: [[EncoderInput]]
        let top: Int
        let precision: Precision?
        let priority: Priority

        var rows: Int { columns.first?.count ?? 0 }
    }

    func predict(_ heads: [LoadedHead], _ asked: Question) async throws -> Predictions {
        if heads.contains(where: { $0.record.calls != nil }) { return try await predictServed(heads, asked) }
        if heads.allSatisfy({ $0.record.inputs == nil }) { return try await predictVectors(heads, asked) }
        if let tagged = try await predictTags(heads, asked) { return tagged }
        let columns = asked.columns, rows = asked.rows, top = asked.top
        var read: [(head: LoadedHead, sources: [FeatureSource])] = []
        for head in heads {
            let sources = try await sources(of: head, asked.precision)
            try sources.require(columns)
            read.append((head, sources))
        }
        let all = read.flatMap(\.sources)
        let features = try await extractor.features(columns, for: all, priority: asked.priority, keep: false)
        var parts: [(head: LoadedHead, features: RowFeatures)] = [], first = 0
        for (head, sources) in read {
            let own = Array(features.inputs[first..<first + sources.count])
            parts.append((head, RowFeatures(own, sources: sources)))
            first += sources.count
        }
        let asking = parts
        let answers = try await Workbench.offPool {
            try asking.map { head, features in
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
