import ArgumentParser
import HidraClient
import HidraProtocol
import Tables

struct Suggest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suggest",
        abstract: "Which rows are most worth labelling next.",
        discussion: """
            Asks a head about rows without labels and prints those that would teach it most: where it is unsure, and which do not repeat \
            one another. With --csv the rows come as CSV, ready for a column of labels.

            EXAMPLE:
              hidra suggest intent unlabelled.csv 20 --text message
              hidra suggest intent unlabelled.csv 50 --text message --csv > to-label.csv

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such head, 4 bad data, 7 time-out, 8 cancelled, \
            10 the head has no probabilities.
            """)

    @Argument(help: ArgumentHelp("Head that is to learn more.", valueName: "head"))
    var head: String

    @Argument(help: ArgumentHelp("Table with the rows, or \"-\".", valueName: "file"), completion: .file())
    var file: String

    @Argument(help: ArgumentHelp("How many rows.", valueName: "n"))
    var count: UInt32

    @Option(help: ArgumentHelp("Column with the texts; once for each column that the head reads.", valueName: "column"))
    var text: [String]

    @Option(help: "Format of a table whose name does not tell, or that comes through a pipe.")
    var format: FormatOption?

    @Flag(help: "Print the rows of the table as CSV.")
    var csv = false

    @OptionGroup var precision: PrecisionOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if count == 0 { throw ValidationError("N, how many rows to suggest, must be 1 or more.") }
        if text.isEmpty { throw ValidationError("--text COLUMN is missing: the column with the texts.") }
        if csv, common.json { throw ValidationError("Rows come as --csv or as --json. Choose one.") }
        if file == TableInput.standardInput, format == nil { throw TableInput.needsFormat }
    }

    func run() async throws {
        let table = try await TableInput.read(file, format: format)
        let columns = try text.map { ($0, try table.column($0)) }
        try await Session.run(common, cancelled: "Cancelled: the daemon was told to stop the job.") { session in
            var request = Hidra_V1_SuggestRequest()
            request.head = head
            request.data = try await session.client.upload(columns: columns.map { UploadColumn($0.0, $0.1) })
            request.inputColumns = text
            request.count = count
            request.precision = precision.wire
            let final = request
            let (reply, seen) = try await session.job { try await session.client.suggest(final, progress: $0) }
            let console = session.console
            let texts = columns[0].1
            if console.json {
                try console.print(reply.json(texts))
            } else if csv {
                let all = try table.columns.map { try table.column($0) }
                let lines = reply.suggestions.map { suggestion in CSVLine.text(all.map { $0[Int(suggestion.row)] }) }
                let text = CSVLine.text(table.columns) + lines.joined()
                try console.print(String(text.dropLast()))
            } else {
                try console.print(SuggestionReport(reply: reply, texts: texts).render(width: console.width, style: console.style))
            }
            guard !console.json else { return }
            for note in reply.notes where !seen.contains(note) { try console.note(note) }
            if reply.duplicates > 0 {
                try console.note(Format.count(reply.duplicates, "row repeats", plural: "rows repeat") + " another row, and counts once.")
            }
        }
    }
}
