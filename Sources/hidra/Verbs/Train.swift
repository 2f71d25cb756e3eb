import ArgumentParser
import HidraClient
import HidraProtocol
import Tables

struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a head on labelled texts or images.",
        discussion: """
            FILE is a table with a header: .csv, .tsv or .jsonl, or "-" for standard input with --format. With --image it is \
            a folder with a sub-folder for each label, an archive of one, or a table with a column of paths. The encoder runs \
            once over each input; later heads on the same inputs reuse its features and train in seconds. Nothing random is \
            left to chance: the same seed gives the same head, to the bit.

            EXAMPLE:
              hidra train tickets.csv --text message --label intent --holdout 0.2 \\
                  --encoder minilm --name intent
              hidra train train.csv --text text --label category --test test.csv \\
                  --encoder minilm --name bank
              hidra train reviews.jsonl --text body --label stars --task regress \\
                  --encoder minilm --name stars
              hidra train photos/ --image --holdout 0.2 --encoder cifar-resnet56 --name planes
              hidra train tickets.csv --text message --label intent --head net.onnx \\
                  --encoder minilm --name intent2
              hidra train pairs.csv --text question --text answer --label fits --head gated.onnx \\
                  --encoder minilm --name fits
              hidra train tickets.csv --text message --label intent --holdout 0.2 --search \\
                  --encoder minilm --name best
              hidra train few.csv --text text --label category --few-shot \\
                  --encoder minilm --name bank8
              hidra train few.csv --text text --label category --unlabelled all.csv \\
                  --confidence 0.9 --encoder minilm --name self
              hidra train tickets.csv --text message --label intent --fusion gate \\
                  --encoder minilm --encoder other --name joined

            A graph's inputs: [rows, width] reads one vector a row, pooled; [rows, tokens, width] reads the hidden states of a row's \
            tokens, special tokens included, with an input named like "mask" or "lengths" beside it if there is one. A graph \
            of several inputs reads a column for each: --text once for each in the graph's order, or by name with --input, \
            which can also read one column through two encoders or taps:

              --input a=message,encoder=minilm --input b=message,encoder=minilm,tap=3

            `hidra graph check` says what each input of a graph would read.

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such encoder, 4 bad data, 5 the head exists (see --replace), \
            7 time-out, 8 cancelled, 9 limit exceeded or disk full.
            """)

    @Argument(
        help: ArgumentHelp("Table, folder or archive with the training rows, or \"-\".", valueName: "file"),
        completion: .file())
    var file: String

    @OptionGroup(title: "Rows") var rows: LabelledRowsOptions

    @Option(
        help: ArgumentHelp(
            "Encoder to train on; `hidra ls` lists them. Not needed where every --input names its own. With --fusion once for each.",
            valueName: "name"))
    var encoder: [String] = []

    @Option(
        name: .customLong("input"),
        help: ArgumentHelp(
            "What an input of the graph reads, instead of --text; once for each.",
            valueName: "name=column[,encoder=e][,tap=t]"))
    var inputs: [HeadInputOption] = []

    @Option(help: ArgumentHelp("Name of the new head.", valueName: "head"))
    var name: String

    @Flag(help: "Replace a head of this name.")
    var replace = false

    @Option(help: "What the labels are: one class, several separated, or a number.")
    var task: TaskKind = .classify

    @Option(help: ArgumentHelp("Test rows, of the same form as FILE.", valueName: "file"), completion: .file())
    var test: String?

    @Option(help: ArgumentHelp("Share of the rows held out for testing, e.g. 0.2.", valueName: "share"))
    var holdout: Double?

    @OptionGroup(title: "Head and optimiser") var head: HeadOptions
    @OptionGroup(title: "Settings, several encoders, few labels") var settings: SettingsOptions
    @OptionGroup var precision: PrecisionOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if test != nil, holdout != nil {
            throw ValidationError("--test brings its own test rows; --holdout takes them from FILE. Give one of them.")
        }
        if let holdout, !(holdout >= 0 && holdout < 1) {
            throw ValidationError("--holdout is a share of the rows from 0 to below 1, e.g. 0.2; it was \(holdout).")
        }
        if settings.unlabelled != nil, rows.image { throw ValidationError("--unlabelled takes a table of texts, not images.") }
        try rows.validate(
            files: [file] + (test.map { [$0] } ?? []) + (settings.unlabelled.map { [$0] } ?? []), inputs: inputColumns)
        try validateInputs()
        try head.validate(for: task, isFusion: settings.fusion != nil)
        if name.isEmpty { throw ValidationError("--name must not be empty.") }
    }

    private func validateInputs() throws {
        if encoder.isEmpty, inputs.isEmpty || inputs.contains(where: \.encoder.isEmpty) {
            throw ValidationError("--encoder NAME is missing: the encoder to train on; `hidra ls` lists them.")
        }
        if !inputs.isEmpty, !rows.text.isEmpty {
            throw ValidationError("--text and --input both say which columns are read. Give one of them.")
        }
        if let twice = inputs.first(where: { input in inputs.count { $0.name == input.name } > 1 }) {
            throw ValidationError("--input \(twice.name) is given twice.")
        }
        try settings.validate(encoders: encoder, inputs: inputs, texts: rows.inputColumns, network: head.network)
        if settings.fusion != nil { return }
        guard case .graph = head.network else {
            guard inputs.isEmpty, rows.text.count <= 1 else {
                throw ValidationError(
                    "--head \(head.network) reads one column. Several --text, and --input, are for graphs: --head FILE.onnx.")
            }
            return
        }
    }

    /// Columns that --input names, each once.
    private var inputColumns: [String] {
        inputs.map(\.column).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    }

    func run() async throws {
        let prepared = try request()
        let train = try await rows.open(file, inputs: inputColumns)
        let test: LabelledRows? =
            if let path = self.test { try await rows.open(path, inputs: inputColumns) } else { nil }
        let unlabelled = try await unlabelledColumns()
        try await Session.run(
            common, cancelled: "Cancelled: the daemon was told to stop the job; no head is made."
        ) { session in
            var request = prepared
            var sample: [String]
            (request.data, sample) = try await train.upload(session)
            if let test {
                let uploaded = try await test.upload(session)
                (request.testData, sample) = (uploaded.data, uploaded.sample.isEmpty ? sample : uploaded.sample)
            }
            if let unlabelled { request.selfTraining.data = try await session.client.upload(columns: unlabelled) }
            let final = request
            let (reply, notes) = try await send(final, session)
            let console = session.console
            if console.json { return try console.print(reply.json) }
            let report = TrainingReport(reply: reply, seenNotes: notes, sample: sample)
            try console.print(report.render(style: console.style))
        }
    }

    /// The columns of the rows without labels.
    private func unlabelledColumns() async throws -> [UploadColumn]? {
        guard let path = settings.unlabelled else { return nil }
        let table = try await TableInput.read(path, format: rows.format)
        return try (inputColumns.isEmpty ? rows.inputColumns : inputColumns).map { UploadColumn($0, try table.column($0)) }
    }

    /// One call; only the advice on a name that is taken is ours.
    private func send(
        _ request: Hidra_V1_TrainRequest, _ session: Session
    ) async throws -> (reply: Hidra_V1_TrainReply, notes: [String]) {
        do {
            return try await session.job { try await session.client.train(request, progress: $0) }
        } catch var error as HidraError where error.code == .alreadyExists {
            error.message += " With --replace this command replaces it."
            throw error
        }
    }

    /// The request without its data, which exists only once it is uploaded.
    func request() throws -> Hidra_V1_TrainRequest {
        var request = Hidra_V1_TrainRequest()
        request.head = name
        request.encoder = encoder.first ?? ""
        request.task = task.wire
        request.inputColumn = (rows.inputColumns + inputColumns).first ?? ""
        request.inputs = inputs.map(\.wire)
        if settings.fusion != nil, inputs.isEmpty {
            request.inputs = settings.fused(encoder, rows.inputColumns)
        } else if rows.text.count > 1 {
            request.inputs = rows.text.map { column in
                var input = Hidra_V1_HeadInput()
                input.column = column
                return input
            }
        }
        request.labelColumn = rows.labelColumn
        request.nameColumn = rows.nameColumn
        request.holdout = holdout ?? 0
        request.kind = try head.kind(task)
        request.hyperparameters = head.hyperparameters
        request.labelSeparator = rows.labelSeparator
        request.tap = head.tap
        request.replace = replace
        request.precision = precision.wire
        settings.add(to: &request)
        return request
    }
}

/// The words of `--task`.
enum TaskKind: String, ExpressibleByArgument, CaseIterable, Sendable {
    case classify, multilabel, regress, tag

    var wire: Hidra_V1_Task {
        switch self {
        case .classify: .classify
        case .multilabel: .multilabel
        case .regress: .regress
        case .tag: .tag
        }
    }
}
