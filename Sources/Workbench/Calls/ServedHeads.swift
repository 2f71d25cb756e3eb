import Encoders
import Heads
import Scheduling
import State
import Synchronization
import TensorCore
import Training

/// The clients that serve heads, by the heads' names: the latest that offered.
package final class ServedHeads: Sendable {
    private let callees = Mutex<[String: (number: UInt64, callee: any Callee)]>([:])
    private let counter = Atomic<UInt64>(0)

    /// Returns a number to withdraw by.
    package func offer(_ heads: [String], by callee: any Callee) -> UInt64 {
        let number = counter.add(1, ordering: .relaxed).newValue
        callees.withLock { callees in for head in heads { callees[head] = (number, callee) } }
        return number
    }

    /// Another's offer for the same head stays.
    package func withdraw(_ number: UInt64) { callees.withLock { $0 = $0.filter { $0.value.number != number } } }

    /// - Throws: `unavailable` naming the client that is missing.
    func callee(for head: HeadRecord) throws -> any Callee {
        guard let entry = callees.withLock({ $0[head.name] }) else {
            throw WorkbenchError(
                .unavailable,
                "Head '\(head.name)' is served by \(head.servedBy.map { "\"\($0)\"" } ?? "a plugin"), which is not connected. Start it, e.g. with "
                    + "`hidra plugin start`.",
                details: ["name": head.name, "served_by": head.servedBy ?? ""])
        }
        return entry.callee
    }
}

extension Callee {
    /// Values asked about at a time.
    private var chunk: Int { 1024 }

    /// Columns of inputs as the client wants the head to read them.
    func preprocess(
        _ columns: [[EncoderInput]], names: [String], head: String, task: HeadTask, progress: @Sendable (Int) -> Void = { _ in }
    ) async throws -> [[EncoderInput]] {
        let rows = columns.first?.count ?? 0
        var result = columns.map { _ in [EncoderInput]() }
        for start in stride(from: 0, to: rows, by: chunk) {
            try Task.checkCancellation()
            let end = min(start + chunk, rows)
            var question = CallQuestion(.preprocess, head: head, task: task)
            question.columns = zip(names, columns).map { ($0, Array($1[start..<end])) }
            for (index, values) in try await ask(question).columns.enumerated() { result[index] += values }
            progress(end)
        }
        return result
    }
}

extension Workbench {
    /// The rows as the head reads them: through whoever serves it, if it was trained so.
    func preprocessed(_ columns: [[EncoderInput]], for head: LoadedHead) async throws -> [[EncoderInput]] {
        guard head.record.calls?.contains(.preprocess) ?? false else { return columns }
        return try await served.callee(for: head.record).preprocess(
            columns, names: head.record.columns, head: head.record.name, task: head.bundle.description.task)
    }

    /// Answers of heads some of which clients serve.
    func predictServed(_ all: [LoadedHead], _ asked: Question) async throws -> Predictions {
        var parts: [(positions: [Int], predictions: Predictions)] = []
        let plain = all.indices.filter { all[$0].record.calls == nil }
        if !plain.isEmpty {
            parts.append((plain, try await predict(plain.map { all[$0] }, asked)))
        }
        for position in all.indices where all[position].record.calls != nil {
            parts.append(([position], try await predictServed(all[position], asked)))
        }
        return Predictions(joining: parts, heads: all.count)
    }

    private func predictServed(_ head: LoadedHead, _ asked: Question) async throws -> Predictions {
        guard head.bundle.description.task != .tag else { return try await tags(head, asked) }
        let columns = try await preprocessed(asked.columns, for: head), top = asked.top
        let sources = try await sources(of: head, asked.precision)
        try sources.require(columns)
        let features = try await extractor.features(columns, for: sources, priority: asked.priority, keep: false)
        let (outputs, width) = try await Workbench.offPool {
            let table = features.table
            let outputs = try head.bundle.network.evaluate(table, rows: Array(0..<table.rows))
            return (outputs.values, outputs.shape[1])
        }
        let rows = columns[0].count
        let answers: [HeadPrediction]
        if rows > 0, head.record.calls?.contains(.postprocess) ?? false {
            var question = CallQuestion(.postprocess, head: head.record.name, task: head.bundle.description.task)
            (question.outputs, question.rows, question.width) = (outputs, rows, width)
            question.labels = head.record.labels
            answers = try await served.callee(for: head.record).ask(question).predictions
        } else {
            answers = try await Workbench.offPool { head.bundle.encoding.predictions(Tensor(outputs, [rows, width]), top: top) }
        }
        let problems = features.problems
        return Predictions(
            inputs: (0..<rows).map { problems[$0] == nil ? [answers[$0]] : [] }, problems: problems,
            tokens: (0..<rows).map { row in features.inputs.first?.tokens[row] ?? 0 }, truncated: features.truncated,
            encoded: features.misses, cached: features.hits)
    }
}
