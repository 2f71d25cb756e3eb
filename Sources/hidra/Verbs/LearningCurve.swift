import ArgumentParser
import HidraClient
import HidraProtocol

struct LearningCurve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learning-curve",
        abstract: "See whether more labels would help.",
        discussion: """
            Trains heads on growing shares of the rows, each share several times with other rows, measures all on the same test rows, \
            and says in a sentence whether more labels would help. No head is made. Without --test and --holdout a fifth of the rows \
            is held out.

            EXAMPLE:
              hidra learning-curve tickets.csv --text message --label intent --encoder minilm
              hidra learning-curve train.csv --text text --label category --test test.csv \\
                  --encoder minilm --share 0.05 --share 0.2 --share 1

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such encoder, 4 bad data, 7 time-out, 8 cancelled.
            """)

    @Argument(help: ArgumentHelp("Labelled rows, or \"-\".", valueName: "file"), completion: .file())
    var file: String

    @OptionGroup(title: "Rows") var rows: LabelledRowsOptions

    @Option(help: ArgumentHelp("Encoder; `hidra ls` lists them.", valueName: "name"))
    var encoder: String

    @Option(help: "What the labels are: one class, several separated, or a number.")
    var task: TaskKind = .classify

    @Option(help: ArgumentHelp("Test rows, of the same form as FILE.", valueName: "file"), completion: .file())
    var test: String?

    @Option(help: ArgumentHelp("Share of the rows held out for testing (default: 0.2 without --test).", valueName: "share"))
    var holdout: Double?

    @Option(help: ArgumentHelp("Share of the training rows to look at; once for each (default: 0.1, 0.25, 0.5 and 1).", valueName: "share"))
    var share: [Double] = []

    @Option(help: ArgumentHelp("Random choices of rows for each share (default: 3).", valueName: "n"))
    var choices: UInt32?

    @OptionGroup(title: "Head and optimiser") var head: HeadOptions
    @OptionGroup var precision: PrecisionOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if test != nil, holdout != nil {
            throw ValidationError("--test brings its own test rows; --holdout takes them from FILE. Give one of them.")
        }
        if let holdout, !(holdout > 0 && holdout < 1) {
            throw ValidationError("--holdout is a share of the rows between 0 and 1, e.g. 0.2; it was \(holdout).")
        }
        if let wrong = share.first(where: { !($0 > 0 && $0 <= 1) }) {
            throw ValidationError("--share is above 0 and at most 1; it was \(wrong).")
        }
        if choices == 0 { throw ValidationError("--choices must be 1 or more.") }
        try rows.validate(files: [file] + (test.map { [$0] } ?? []))
        try head.validate(for: task)
    }

    func request() throws -> Hidra_V1_LearningCurveRequest {
        var request = Hidra_V1_LearningCurveRequest()
        request.shares = share.sorted()
        request.seeds = choices ?? 0
        request.training.encoder = encoder
        request.training.task = task.wire
        request.training.inputColumn = rows.inputColumns.first ?? ""
        request.training.inputs =
            rows.text.count > 1
            ? rows.text.map { column in
                var input = Hidra_V1_HeadInput()
                input.column = column
                return input
            } : []
        request.training.labelColumn = rows.labelColumn
        request.training.nameColumn = rows.nameColumn
        request.training.labelSeparator = rows.labelSeparator
        request.training.holdout = holdout ?? 0
        request.training.kind = try head.kind(task)
        request.training.hyperparameters = head.hyperparameters
        request.training.tap = head.tap
        request.training.precision = precision.wire
        return request
    }

    func run() async throws {
        let prepared = try request()
        let train = try await rows.open(file)
        let test: LabelledRows? = if let path = self.test { try await rows.open(path) } else { nil }
        try await Session.run(common, cancelled: "Cancelled: the daemon was told to stop the job.") { session in
            var request = prepared
            request.training.data = try await train.upload(session).data
            if let test { request.training.testData = try await test.upload(session).data }
            let final = request
            let (reply, seen) = try await session.job { try await session.client.learningCurve(final, progress: $0) }
            let console = session.console
            if console.json { return try console.print(reply.json) }
            try console.print(LearningCurveReport(reply: reply).render(style: console.style))
            for note in reply.notes where !seen.contains(note) { try console.note(note) }
        }
    }
}
