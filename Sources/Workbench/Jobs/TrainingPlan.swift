import Encoders
import Foundation
import Heads
import State
import Training

extension TrainingPlan {
    /// Checks a request against its data and decides which rows do what.
    ///
    /// - Throws: `invalidArgument` for a setting, `invalidData` for a label, naming value or row.
    ///
    /// - Parameters:
    ///   - encoders: all that the request names, by their names.
    ///   - given: the rows to be held out, instead of drawn ones.
    init(_ request: TrainingRequest, _ encoders: [String: LoadedEncoder], split given: Split? = nil) throws {
        try request.validate()
        self.request = request
        do {
            let ports = try request.graph.flatMap { request.kind == .graph ? try HeadPorts(graph: $0) : nil }
            sources = try Self.sources(request, encoders, ports)
            for rows in [request.rows, request.test].compactMap({ $0 }) { try sources.require(rows.columns) }
            encoding = try LabelEncoding(
                learning: request.rows.labels, task: request.task, separator: request.separator)
            if request.task == .tag {
                for rows in [request.rows, request.test].compactMap({ $0 }) {
                    try WordStates.requireLabels(rows.labels, of: rows.columns[0])
                }
            }
            let (targets, _, _) = try encoding.encode(request.rows.labels)
            var notes: [String] = []
            if let note = Self.rareLabels(targets, encoding) { notes.append(note) }
            let split = given ?? Split(targets, share: request.holdout, seed: request.settings.seed, purpose: "hold-out")
            if request.holdout > 0, split.held.isEmpty {
                notes.append("Too few rows to hold any out: the head is not tested.")
            }
            trainRows = split.kept
            trainTargets = targets.selecting(split.kept)
            let labelled: [[EncoderInput]]
            if let test = request.test {
                labelled = zip(request.rows.columns, test.columns).map { $0 + $1 }
                testRows = Array(request.rows.count..<request.rows.count + test.count)
                self.test = try Truth(test.labels, encoding)
            } else {
                labelled = request.rows.columns
                testRows = split.held
                self.test = split.held.isEmpty ? nil : try Truth(split.held.map { request.rows.labels[$0] }, encoding)
            }
            columns = request.selfTraining.map { zip(labelled, $0.columns).map { $0 + $1 } } ?? labelled
            unlabelledRows = Array(labelled[0].count..<columns[0].count)
            if let note = self.test?.note { notes.append(note) }
            if let note = Self.emptyTexts(columns.flatMap { $0 }) { notes.append(note) }
            if request.kind.isGraph {
                // Built once before anything is encoded: a graph that does not fit should not cost the user minutes.
                let network = try HeadNetwork(
                    request.kind, graph: request.graph, inputs: sources.map(\.features), outputs: encoding.outputs,
                    seed: request.settings.seed)
                if let note = network.note { notes.append(note) }
            }
            self.notes = notes
        } catch let error as HeadError {
            throw WorkbenchError(error)
        }
    }

    private static func rareLabels(_ targets: Targets, _ encoding: LabelEncoding) -> String? {
        guard case .classes(let classes) = targets else { return nil }
        var counts = [Int](repeating: 0, count: encoding.outputs)
        for index in classes { counts[Int(index)] += 1 }
        let once = encoding.labels.indices.filter { counts[$0] == 1 }
        guard !once.isEmpty else { return nil }
        let names = once.prefix(5).map { "\"\(encoding.labels[$0])\"" }.joined(separator: ", ")
        let more = once.count > 5 ? " and \(once.count - 5) more" : ""
        return
            "\(once.count) \(once.count == 1 ? "label occurs" : "labels occur") only once and cannot be validated: \(names)\(more)."
    }

    private static func emptyTexts(_ inputs: [EncoderInput]) -> String? {
        let empty = inputs.count { if case .text(let text) = $0 { text.allSatisfy(\.isWhitespace) } else { false } }
        return empty == 0 ? nil : "\(empty) texts are empty."
    }
}
