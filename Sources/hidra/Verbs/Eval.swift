import ArgumentParser
import HidraClient
import HidraProtocol

struct Eval: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure a head on labelled texts or images.",
        discussion: """
            Prints accuracy and F1 with a table of classes, worst first, and the pairs confused most often; for \
            regression MAE, RMSE and R². FILE is what `train` takes: a .csv, .tsv or .jsonl table, "-" for standard input with \
            --format, or with --image a folder, an archive or a table of paths.

            EXAMPLE:
              hidra eval bank test.csv --text text --label category
              hidra eval planes test.tar --image
              hidra eval bank test.csv --text text --label category --precision both
              hidra eval fits pairs.csv --text question --text answer --label fits

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such head, 4 bad data, 7 time-out, 8 cancelled.
            """)

    @Argument(help: ArgumentHelp("Head to measure.", valueName: "head"))
    var head: String

    @Argument(help: ArgumentHelp("Labelled rows, or \"-\".", valueName: "file"), completion: .file())
    var file: String

    @OptionGroup(title: "Rows") var rows: LabelledRowsOptions

    @Option(
        help: ArgumentHelp(
            "What the encoder computes in (default: as it is set); \"both\" compares fp32 and int8.",
            valueName: "fp32|int8|both"))
    var precision: EvaluationPrecision?

    @Flag(help: "Show every class.")
    var all = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        try rows.validate(files: [file])
    }

    func run() async throws {
        let labelled = try await rows.open(file)
        try await Session.run(
            common, cancelled: "Cancelled: the daemon was told to stop the job."
        ) { session in
            var request = Hidra_V1_EvaluateRequest()
            request.head = head
            request.data = try await labelled.upload(session).data
            request.inputColumn = rows.inputColumns[0]
            if rows.inputColumns.count > 1 { request.inputColumns = rows.inputColumns }
            request.labelColumn = rows.labelColumn
            request.nameColumn = rows.nameColumn
            request.labelSeparator = rows.labelSeparator
            let console = session.console
            if precision == .both {
                let comparison = try await compare(request, session)
                return try console.print(console.json ? comparison.json.text : comparison.render(style: console.style))
            }
            request.precision = precision?.rawValue ?? ""
            let final = request
            let (reply, seen) = try await session.job { try await session.client.evaluate(final, progress: $0) }
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

    /// The same rows in each precision.
    private func compare(_ request: Hidra_V1_EvaluateRequest, _ session: Session) async throws -> PrecisionReport {
        var replies: [PrecisionName: Hidra_V1_EvaluateReply] = [:]
        for precision in PrecisionName.allCases {
            var request = request
            request.precision = precision.rawValue
            let final = request
            let (reply, _) = try await session.job { try await session.client.evaluate(final, progress: $0) }
            replies[precision] = reply
        }
        return PrecisionReport(replies: replies)
    }
}

/// The words of `eval --precision`.
enum EvaluationPrecision: String, ExpressibleByArgument, CaseIterable, Sendable { case fp32, int8, both }
