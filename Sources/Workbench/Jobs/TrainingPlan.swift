import Encoders
import Foundation
import Heads
import Training

extension TrainingPlan {
    /// Checks a request against its data and decides which rows do what.
    ///
    /// - Throws: `invalidArgument` for a setting, `invalidData` for a label, naming value or row.
    init(_ request: TrainingRequest, _ loaded: LoadedEncoder) throws {
        try request.validate()
        let tap = request.tap ?? loaded.encoder.layers
        guard (0...loaded.encoder.layers).contains(tap) else {
            throw WorkbenchError(
                .invalidArgument,
                "Encoder '\(request.encoder)' has taps 0 to \(loaded.encoder.layers) (0: embeddings); there is no tap \(tap).")
        }
        self.request = request
        self.tap = tap
        featureSpace = loaded.space(tap: tap).key
        do {
            encoding = try LabelEncoding(learning: request.rows.labels, task: request.task, separator: request.separator)
            let (targets, _, _) = try encoding.encode(request.rows.labels)
            var notes: [String] = []
            if let note = Self.rareLabels(targets, encoding) { notes.append(note) }
            let split = Split(targets, share: request.holdout, seed: request.settings.seed, purpose: "hold-out")
            if request.holdout > 0, split.held.isEmpty {
                notes.append("Too few rows to hold any out: the head is not tested.")
            }
            trainRows = split.kept
            trainTargets = targets.selecting(split.kept)
            if let test = request.test {
                texts = request.rows.texts + test.texts
                testRows = Array(request.rows.texts.count..<texts.count)
                self.test = try Truth(test.labels, encoding)
            } else {
                texts = request.rows.texts
                testRows = split.held
                self.test = split.held.isEmpty ? nil : try Truth(split.held.map { request.rows.labels[$0] }, encoding)
            }
            if let note = self.test?.note { notes.append(note) }
            if let note = Self.emptyTexts(texts) { notes.append(note) }
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
        return "\(once.count) \(once.count == 1 ? "label occurs" : "labels occur") only once and cannot be validated: \(names)\(more)."
    }

    private static func emptyTexts(_ texts: [String]) -> String? {
        let empty = texts.count { $0.allSatisfy(\.isWhitespace) }
        return empty == 0 ? nil : "\(empty) texts are empty."
    }
}
