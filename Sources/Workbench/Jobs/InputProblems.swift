import Encoders
import State

/// Inputs that could not be read, as sentences: each by its name, and how many there are.
struct InputProblems {
    private static let listed = 20

    let notes: [String]

    init(_ features: Features, _ inputs: [EncoderInput]) {
        guard !features.problems.isEmpty else {
            notes = []
            return
        }
        let rows = features.problems.keys.sorted()
        var notes = rows.prefix(Self.listed).map { row in
            "\(inputs[row].name(row: row)): \(features.problems[row] ?? "")"
        }
        let kind = inputs.first?.modality ?? .image
        let more = rows.count > Self.listed ? " \(rows.count - Self.listed) of them are not listed." : ""
        notes.append("\(rows.count) of \(features.rows) \(kind.plural) could not be read and were left out.\(more)")
        self.notes = notes
    }
}

extension EncoderInput {
    fileprivate func name(row: Int) -> String {
        switch self {
        case .text: "row \(row + 1)"
        case .image(let file): file.name
        }
    }
}

extension TrainingPlan {
    /// The plan and the features without the rows whose input could not be read.
    ///
    /// - Throws: `invalidData` when too few rows are left.
    func leavingOutUnreadable(_ features: Features, _ loaded: LoadedEncoder) throws -> (
        plan: TrainingPlan, features: Features
    ) {
        guard !features.problems.isEmpty else { return (self, features) }
        let readable = (0..<features.rows).filter { features.problems[$0] == nil }
        let trainCount = request.rows.count
        var request = request
        request.rows = request.rows.selecting(readable.filter { $0 < trainCount })
        request.test = request.test?.selecting(readable.filter { $0 >= trainCount }.map { $0 - trainCount })
        guard request.rows.count > 0, request.test.map({ $0.count > 0 }) ?? true else {
            let example = features.problems.min { $0.key < $1.key }
            throw WorkbenchError(
                .invalidData,
                "None of the \(loaded.encoder.modality.plural) could be read. The first: \(example?.value ?? "").")
        }
        return (try TrainingPlan(request, loaded), features.selecting(readable))
    }
}
