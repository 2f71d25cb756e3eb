import Encoders
import State

/// Inputs that could not be read, as sentences: each by its name, and how many there are.
struct InputProblems {
    private static let listed = 20

    let notes: [String]

    init(_ features: RowFeatures, _ columns: [[EncoderInput]]) {
        guard !features.problems.isEmpty else {
            notes = []
            return
        }
        let problems = features.problems, rows = problems.keys.sorted()
        // Images alone can be unreadable.
        let inputs = columns.first { $0.first?.modality == .image } ?? columns[0]
        var notes = rows.prefix(Self.listed).map { row in "\(inputs[row].name(row: row)): \(problems[row] ?? "")" }
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
    func leavingOutUnreadable(_ features: RowFeatures, _ encoders: [String: LoadedEncoder]) throws -> (
        plan: TrainingPlan, features: RowFeatures
    ) {
        let problems = features.problems
        guard !problems.isEmpty else { return (self, features) }
        let readable = (0..<features.rows).filter { problems[$0] == nil }
        let trainCount = request.rows.count
        var request = request
        request.rows = request.rows.selecting(readable.filter { $0 < trainCount })
        let labelled = trainCount + (request.test?.count ?? 0)
        request.test = request.test?.selecting(readable.filter { $0 >= trainCount && $0 < labelled }.map { $0 - trainCount })
        let unlabelled = readable.filter { $0 >= labelled }.map { $0 - labelled }
        let columns = request.selfTraining?.columns.map { column in unlabelled.map { column[$0] } }
        request.selfTraining?.columns = columns ?? []
        guard request.rows.count > 0, request.test.map({ $0.count > 0 }) ?? true else {
            let example = problems.min { $0.key < $1.key }
            throw WorkbenchError(.invalidData, "None of the images could be read. The first: \(example?.value ?? "").")
        }
        return (try TrainingPlan(request, encoders), features.selecting(readable))
    }
}
