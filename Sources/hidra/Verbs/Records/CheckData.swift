import ArgumentParser
import HidraClient
import HidraProtocol
import Tables

/// `Check` alone is what `doctor` calls one of its questions.
struct CheckData: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look for faults in labelled texts before training on them.",
        discussion: """
            Finds empty rows and labels, duplicates (also with different labels), rows that training and test data share, rare and \
            imbalanced labels, and labels only the test rows have. With --encoder also texts that are cut, near-duplicates (all \
            pairs of up to 40,000 different texts, beyond that of a random sample), and likely label errors: rows of which \
            five linear heads, each trained without the row, are sure that the label is another (Northcutt et al. 2021, \
            "Confident Learning"). Every finding comes with rows to look at; rows count from 1, without the header.

            EXAMPLE:
              hidra check train.csv --text text --label category
              hidra check train.csv --text text --label category --test test.csv --encoder minilm

            EXIT CODES: 0 done, whatever was found (see --fail), 2 wrong arguments, 3 no such encoder, column or file, 4 with --fail: \
            there are errors, 7 time-out, 8 cancelled.
            """)

    @Argument(help: ArgumentHelp("Table with the training rows, or \"-\".", valueName: "file"), completion: .file())
    var file: String

    @OptionGroup(title: "Rows") var rows: LabelledRowsOptions

    @Option(help: ArgumentHelp("Test rows, of the same form as FILE.", valueName: "file"), completion: .file())
    var test: String?

    @Option(help: "What the labels are.")
    var task: TaskKind = .classify

    @Option(help: ArgumentHelp("Encoder to compare texts with; without, only the rows themselves are looked at.", valueName: "name"))
    var encoder: String?

    @Option(help: ArgumentHelp("Tap of the encoder to read (default: the top).", valueName: "name"))
    var tap: String = ""

    @Option(help: ArgumentHelp("Least cosine of near-duplicates.", valueName: "cosine"))
    var near = 0.97

    @Option(help: ArgumentHelp("Rows below which a label is rare.", valueName: "rows"))
    var rare: UInt32 = 5

    @Option(help: ArgumentHelp("Rows shown with each finding.", valueName: "n"))
    var examples: UInt32 = 5

    @Option(help: "Seed of folds and samples.")
    var seed: UInt64 = 0

    @Flag(help: "Exit with 4 when there are errors, e.g. rows that training and test data share.")
    var fail = false

    @OptionGroup var precision: PrecisionOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if rows.image { throw ValidationError("hidra check reads texts; --image is for train and eval.") }
        try rows.validate(files: [file] + (test.map { [$0] } ?? []))
        guard (0.5...1).contains(near) else { throw ValidationError("--near is a cosine from 0.5 to 1; it was \(near).") }
        guard (1...1000).contains(examples) else { throw ValidationError("--examples is 1 to 1000; it was \(examples).") }
        guard rare > 0 else { throw ValidationError("--rare must be 1 or more.") }
    }

    /// The request without its data, which exist only once they are uploaded.
    var request: Hidra_V1_CheckDataRequest {
        var request = Hidra_V1_CheckDataRequest()
        request.inputColumns = rows.inputColumns
        request.labelColumn = rows.labelColumn
        request.task = task.wire
        request.labelSeparator = rows.labelSeparator
        request.encoder = encoder ?? ""
        request.tap = tap
        request.precision = precision.wire
        request.seed = seed
        request.examples = examples
        request.near = near
        request.rare = rare
        return request
    }

    func run() async throws {
        let train = try await rows.open(file)
        let test: LabelledRows? = if let path = self.test { try await rows.open(path) } else { nil }
        let hasErrors = try await Session.run(common, cancelled: "Cancelled: the daemon was told to stop the job.") { session in
            let reply = try await Self.check(request, train, test: test, session)
            let console = session.console
            if console.json {
                try console.print(.event("result", reply.members))
            } else {
                try console.print(CheckReport(reply: reply).render(width: console.width, style: console.style))
                for note in reply.notes { try console.note(note) }
            }
            return reply.findings.contains { $0.severity == "error" }
        }
        if fail, hasErrors { throw ExitCode(ErrorCode.invalidData.exitCode) }
    }

    /// Uploads the rows and has them checked; also for each head of a session.
    static func check(
        _ prepared: Hidra_V1_CheckDataRequest, _ train: LabelledRows, test: LabelledRows?, _ session: Session
    ) async throws -> Hidra_V1_CheckDataReply {
        var request = prepared
        request.data = try await train.upload(session).data
        if let test { request.testData = try await test.upload(session).data }
        let final = request
        return try await session.job { try await session.client.check(final, progress: $0) }.reply
    }
}
