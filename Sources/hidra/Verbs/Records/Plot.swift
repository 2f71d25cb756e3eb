import ArgumentParser
import Charts
import HidraClient
import HidraProtocol
import Statistics

struct Plot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Draw a run: learning curves, confusion matrix, calibration and a map of its test rows.",
        discussion: """
            Learning curves are of every run. The other pictures need test rows (--test or --holdout): the confusion matrix, or \
            for numbers predicted over actual values; a reliability diagram with the expected calibration error; and a map of what the \
            head reads of the test rows, coloured by label. The map shows the first two principal components: there is no \
            well-kept library of UMAP or t-SNE for Swift or C, and `hidra embed FILE -o vectors.npy` brings the vectors to one \
            for Python. More than 120 labels are drawn in part, which the picture says.

            EXAMPLE:
              hidra plot bank -o bank.png
              hidra plot run-1a2b3c4d -o confusions.svg --only confusion

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such head or run, 4 nothing to draw, 7 time-out, 9 the file cannot be written.
            """)

    @Argument(help: ArgumentHelp("A head, or the id of a run.", valueName: "run"))
    var run: String

    @Option(
        name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("File to write, .png or .svg.", valueName: "file"),
        completion: .file(extensions: ["png", "svg"]))
    var output: String

    @Option(help: "Draw this only; may be repeated.")
    var only: [PanelName] = []

    @OptionGroup var common: CommonOptions

    func validate() throws {
        _ = try format
    }

    private var format: PictureFormat {
        get throws {
            let ending = output.split(separator: ".").last?.lowercased() ?? ""
            guard let format = PictureFormat(rawValue: ending), output.contains(".") else {
                throw ValidationError("-o takes a file that ends in .png or .svg; it was \(output).")
            }
            return format
        }
    }

    func run() async throws {
        let format = try format
        try await Session.run(common) { session in
            let reply = try await session.client.testRows(of: run)
            let picture = RunPicture(reply), wanted = only.isEmpty ? RunPicture.Panel.allCases : only.map(\.panel)
            let shown = picture.panels.filter(wanted.contains)
            guard !shown.isEmpty else {
                throw HidraError(
                    .invalidData, (["Run \(reply.run.id) has nothing to draw of that."] + reply.notes).joined(separator: " "))
            }
            do {
                try picture.write(to: output, format: format, only: wanted)
            } catch let error as ChartError {
                throw HidraError(.diskFull, "\(error).", cause: error)
            }
            let console = session.console
            if console.json {
                return try console.print(
                    .event("result", [("file", .string(output)), ("panels", .strings(shown.map(\.rawValue))), ("notes", .strings(reply.notes))]))
            }
            try console.print("Wrote \(output): \(Format.list(shown.map(\.rawValue))).")
            for note in reply.notes { try console.note(note) }
        }
    }
}

/// The words of `--only`.
enum PanelName: String, ExpressibleByArgument, CaseIterable, Sendable {
    case curves, confusion, calibration, map

    var panel: RunPicture.Panel {
        switch self {
        case .curves: .curves
        case .confusion: .confusion
        case .calibration: .calibration
        case .map: .map
        }
    }
}

extension RunPicture {
    init(_ reply: Hidra_V1_TestRowsReply) {
        let run = reply.run
        self.init(title: "\(run.head) on \(run.encoder)")
        let metrics = EvaluationReport.metrics(run.metrics).map { "\($0.title) \(Format.metric($0.value))" }
        subtitle = ([run.id, Format.date(run.started)] + metrics).joined(separator: " · ")
        let names = reply.history.map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        curves = names.map { name in
            Curve(
                name: name,
                points: reply.history.filter { $0.name == name }.sorted { $0.step < $1.step }.map { (Double($0.step), $0.value) })
        }
        labels = reply.labels
        actual = reply.actual.map { Int($0) }
        predicted = reply.predicted.map { Int($0) }
        actualValues = reply.actualValues.map { Double($0) }
        predictedValues = reply.predictedValues.map { Double($0) }
        if !reply.confidence.isEmpty {
            calibration = Reliability(
                confidence: reply.confidence.map { Double($0) }, isRight: zip(reply.actual, reply.predicted).map { $0 == $1 })
        }
        addMap(reply)
    }

    private mutating func addMap(_ reply: Hidra_V1_TestRowsReply) {
        map = reply.mapped.indices.map { (Double(reply.map[2 * $0]), Double(reply.map[2 * $0 + 1])) }
        let shares = reply.explained.map { "\(Format.fixed($0 * 100, 1)) %" }
        mapSubtitle = "first two principal components, \(Format.list(shares)) of the variance; coloured by "
        let rows = reply.mapped.map { Int($0) }
        if !actual.isEmpty {
            mapKinds = rows.map { actual[$0] }
            mapNames = reply.labels
            mapSubtitle += "label"
        } else if !actualValues.isEmpty {
            // Five parts of as many rows.
            let sorted = actualValues.sorted()
            let bounds = (1..<5).map { sorted[sorted.count * $0 / 5] }
            mapKinds = rows.map { row in bounds.count { $0 <= actualValues[row] } }
            mapNames = (0..<5).map { part in
                part == 0 ? "below \(Format.metric(bounds[0]))" : "from \(Format.metric(bounds[part - 1]))"
            }
            mapSubtitle += "value"
        } else {
            let errors = reply.errors
            mapKinds = rows.map { errors.indices.contains($0) && errors[$0] > 0 ? 1 : 0 }
            mapNames = ["all right", "something wrong"]
            mapSubtitle += "outcome"
        }
    }
}
