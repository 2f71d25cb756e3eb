import Foundation
import Heads
import State
import TensorCore
import Training

extension Truth {
    /// Asks a network about test rows: the report, and what is kept of each row. The outputs `[rows, outputs]` are nil for words.
    func measure(
        _ network: HeadNetwork, _ table: FeatureTable, rows: [Int], keys: [UInt64]
    ) throws -> (report: Report, rows: TestRows, outputs: Tensor?) {
        if case .tags(let truth) = answers {
            let said = try tags(network, table, rows, truth)
            var kept = TestRows(task: encoding.task.rawValue, labels: labels, keys: keys)
            kept.errors = PackedNumbers(zip(said, truth).map { UInt32(zip($0, $1).count { $0 != $1 }) })
            return (report(tags: said, truth), kept, nil)
        }
        let outputs = try network.evaluate(table, rows: rows)
        return (report(outputs), kept(outputs, keys: keys), outputs)
    }

    /// What is kept of a head's outputs `[rows, outputs]`; not of words.
    func kept(_ outputs: Tensor, keys: [UInt64]) -> TestRows {
        var kept = TestRows(task: encoding.task.rawValue, labels: labels, keys: keys)
        switch answers {
        case .tags: preconditionFailure("the tags of words are not read row by row")
        case .classes(let classes):
            let answers = Calibration.confidences(outputs, encoding.calibration?.temperature ?? 1)
            kept.actual = PackedNumbers(classes.map { UInt32($0) })
            kept.predicted = PackedNumbers(answers.map { UInt32($0.best) })
            kept.confidence = PackedNumbers(answers.map { Float($0.confidence) })
        case .labels(let flags):
            let width = encoding.labels.count, predicted = applied(outputs)
            kept.errors = PackedNumbers(
                (0..<outputs.shape[0]).map { row in
                    UInt32((0..<width).count { predicted[row * width + $0] != flags[row * width + $0] })
                })
        case .values(let values):
            kept.actualValues = PackedNumbers(values)
            kept.predictedValues = PackedNumbers(
                encoding.predictions(outputs).map { if case .value(let value) = $0 { Float(value) } else { .nan } })
        }
        return kept
    }
}

extension TestRows {
    /// Adds the map of what a head's first input reads of the rows, if it reads one vector.
    mutating func addMap(_ table: FeatureTable, rows: [Int]) {
        guard case .vectors(let values)? = table.columns.first,
            let map = PrincipalMap(table: FeatureTable(values), rows: rows)
        else { return }
        self.map = PackedNumbers(map.points)
        mapped = PackedNumbers(map.rows.map { UInt32($0) })
        explained = map.explained
    }
}

extension Workbench {
    /// Keeps a run's test rows in its folder. Returns why that could not be, if so.
    func keep(_ rows: TestRows?, of run: RunRecord) async -> String? {
        guard let rows else { return nil }
        guard rows.keys.values.count <= TestRows.mostRows else {
            return "The answers to \(rows.keys.values.count) test rows are not kept, \(TestRows.mostRows) at most are: this run cannot be compared."
        }
        do {
            let folder = registry.directory.folder(.runs, run.id)
            try await Workbench.offPool { try rows.write(to: folder) }
            return nil
        } catch {
            return "The answers to the test rows could not be kept: \((error as? WorkbenchError)?.message ?? "\(error)")"
        }
    }
}
