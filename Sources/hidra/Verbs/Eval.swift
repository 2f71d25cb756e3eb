import ArgumentParser
import HidraClient
import HidraProtocol

struct Eval: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure a head on labelled texts.",
        discussion: """
            Prints accuracy and F1 with a table of classes, worst first, and the pairs confused most often; for \
            regression MAE, RMSE and R². FILE is a .csv, .tsv or .jsonl table, or "-" for standard input with --format.

            EXAMPLE:
              hidra eval bank test.csv --text text --label category

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such head, 4 bad data, 7 time-out, 8 cancelled.
            """)

    @Argument(help: ArgumentHelp("Head to measure.", valueName: "head"))
    var head: String

    @Argument(help: ArgumentHelp("Table with labelled rows, or \"-\".", valueName: "file"), completion: .file())
    var file: String

    @Option(help: ArgumentHelp("Column with the texts.", valueName: "column"))
    var text: String

    @Option(help: ArgumentHelp("Column with the true labels or numbers.", valueName: "column"))
    var label: String

    @Option(help: "Format of the file when its name does not tell.")
    var format: FormatOption?

    @Option(help: ArgumentHelp("Separates the labels of one cell (multilabel).", valueName: "text"))
    var labelSeparator: String = "|"

    @Flag(help: "Show every class.")
    var all = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if text == label { throw ValidationError("--text and --label name the same column, '\(text)'.") }
        try LabelledColumns.validate(file, format: format)
    }

    func run() async throws {
        let rows = try await LabelledColumns(text: text, label: label, format: format).read(file)
        try await Session.run(
            common, cancelled: "Cancelled: the daemon was told to stop the job."
        ) { session in
            var request = Hidra_V1_EvaluateRequest()
            request.head = head
            request.data = try await session.client.upload(columns: rows)
            request.textColumn = text
            request.labelColumn = label
            request.labelSeparator = labelSeparator
            let final = request
            let (reply, seen) = try await session.job { try await session.client.evaluate(final, progress: $0) }
            let console = session.console
            if console.json { return try console.print(.event("result", reply.members)) }
            let report = EvaluationReport(reply: reply)
            try console.print(report.render(allClasses: all, width: console.width, style: console.style))
            for note in reply.notes where !seen.contains(note) { try console.note(note) }
            if reply.truncatedRows > 0 {
                try console.note(
                    Format.count(reply.truncatedRows, "text was", plural: "texts were")
                        + " longer than the encoder's limit and cut.")
            }
        }
    }
}
