import Heads
import State
import TensorCore
import Training

/// The labels of rows a head is measured on, in the head's own terms. Labels the head does not know count as errors.
struct Truth: Sendable {
    enum Answers {
        case classes([Int])
        case labels([Bool])
        case values([Float])
        case tags([[String]])
    }

    var encoding: LabelEncoding
    let answers: Answers
    /// The head's labels, then the unknown ones.
    let labels: [String]
    /// Unknown label → rows.
    let unknown: [String: Int]

    /// - Throws: `invalidData` for an empty or non-numeric cell.
    init(_ cells: [String], _ encoding: LabelEncoding) throws {
        self.encoding = encoding
        do {
            let (targets, rows, unknown) = try encoding.encode(cells)
            self.unknown = unknown
            let strangers = unknown.keys.sorted()
            labels = encoding.labels + strangers
            switch targets {
            case .classes(let known):
                let positions = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
                var answers = [Int](repeating: 0, count: cells.count)
                let knownRows = Set(rows)
                for (row, index) in zip(rows, known) { answers[row] = Int(index) }
                for row in cells.indices where !knownRows.contains(row) {
                    answers[row] = positions[encoding.label(ofCell: cells[row])] ?? 0
                }
                self.answers = .classes(answers)
            case .tags: answers = .tags(try cells.enumerated().map { try LabelEncoding.tags($1, row: $0) })
            case .labels(let flags, _): answers = .labels(flags.map { $0 > 0.5 })
            case .values(let values):
                answers = .values(values.map { Float(Double($0) * encoding.scaling.deviation + encoding.scaling.mean) })
            }
        } catch let error as HeadError {
            throw WorkbenchError(error)
        }
    }

    /// Asks a network about rows of a table, and compares with the truth.
    func report(_ network: HeadNetwork, _ table: FeatureTable, rows: [Int]) throws -> Report {
        guard case .tags(let truth) = answers else { return report(try network.evaluate(table, rows: rows)) }
        return report(tags: try tags(network, table, rows, truth), truth)
    }

    /// A network's labels of the words of rows, as many as the truth has.
    func tags(_ network: HeadNetwork, _ table: FeatureTable, _ rows: [Int], _ truth: [[String]]) throws -> [[String]] {
        let predicted = try network.tags(table, rows: rows).map { path in path.tags.map { encoding.labels[$0] } }
        // Of a text that was cut the words beyond have no label.
        return zip(predicted, truth).map { $0 + [String](repeating: "O", count: max(0, $1.count - $0.count)) }
    }

    func report(tags whole: [[String]], _ truth: [[String]]) -> Report {
        var right = 0, words = 0
        for (guess, actual) in zip(whole, truth) {
            words += actual.count
            right += zip(guess, actual).count { $0 == $1 }
        }
        return Metrics.spans(
            predicted: whole.map(LabelledSpan.all), actual: truth.map(LabelledSpan.all), wordsRight: right, words: words)
    }

    /// Compares a head's outputs `[rows, outputs]` with the truth.
    func report(_ outputs: Tensor) -> Report {
        switch answers {
        case .tags: preconditionFailure("the tags of words are not read row by row")
        case .classes(let classes):
            let width = outputs.shape[1]
            let predicted = (0..<outputs.shape[0]).map { outputs.pointer.indexOfLargest($0 * width, width) }
            var report = Metrics.classification(predicted: predicted, actual: classes, labels: labels)
            if let calibration = encoding.calibration {
                func error(_ temperature: Double) -> Double {
                    Calibration.error(
                        Calibration.confidences(outputs, temperature).map { ($0.confidence, $0.best == classes[$0.row]) })
                }
                report.metrics["ece"] = error(calibration.temperature)
                report.metrics["ece_uncalibrated"] = error(1)
            }
            return report
        case .labels(let flags):
            return Metrics.multilabel(predicted: applied(outputs), actual: flags, labels: encoding.labels)
        case .values(let values):
            let predicted = encoding.predictions(outputs).map { prediction -> Float in
                guard case .value(let value) = prediction else { return .nan }
                return Float(value)
            }
            return Metrics.regression(predicted: predicted, actual: values)
        }
    }

    /// Of a multilabel head's outputs `[rows, labels]`: whether each label applies.
    func applied(_ outputs: Tensor) -> [Bool] {
        encoding.predictions(outputs).flatMap { prediction -> [Bool] in
            guard case .labels(let scores) = prediction else { return [] }
            let applied = Set(scores.map(\.label))
            return encoding.labels.map(applied.contains)
        }
    }

    /// A sentence about labels the head cannot know.
    var note: String? {
        guard !unknown.isEmpty else { return nil }
        let names = unknown.keys.sorted().prefix(5).map { "\"\($0)\"" }.joined(separator: ", ")
        let more = unknown.count > 5 ? " and \(unknown.count - 5) more" : ""
        return
            "\(unknown.values.reduce(0, +)) rows have labels that were never trained, and count as errors: \(names)\(more)."
    }
}
