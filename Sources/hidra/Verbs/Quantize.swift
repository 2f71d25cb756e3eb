import ArgumentParser
import HidraClient
import HidraProtocol
import Tables

struct Quantize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize",
        abstract: "Let an encoder compute in int8, after seeing what that changes.",
        discussion: """
            With --check the encoder's vectors in int8 are compared with those in fp32 on your own texts, and nothing is \
            switched. Without it the encoder computes in int8 from then on, wherever a command has no --precision of its own; \
            --precision fp32 switches back. Heads stay as they are: `hidra eval HEAD FILE --precision both` says beforehand how \
            they would do. Features of both are cached apart.

            EXAMPLE:
              hidra quantize minilm --check tickets.csv --column message
              hidra eval intent tickets.csv --text message --label intent --precision both
              hidra quantize minilm
              hidra quantize minilm --precision fp32

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such encoder, 4 bad data, 7 time-out, 10 no int8 for this encoder.
            """)

    @Argument(help: ArgumentHelp("Encoder; `hidra ls` lists them.", valueName: "encoder"))
    var encoder: String

    @Option(
        help: ArgumentHelp("Compare on the texts of this file: a table, or one text a line.", valueName: "file"),
        completion: .file())
    var check: String?

    @Option(help: ArgumentHelp("Column of the table that holds the texts.", valueName: "name"))
    var column: String?

    @Option(help: "Format of a table whose name does not tell, or that comes through a pipe.")
    var format: FormatOption?

    @Option(help: ArgumentHelp("Switch to this (default: int8, or nothing with --check).", valueName: "fp32|int8"))
    var precision: PrecisionName?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if check == nil, column != nil || format != nil {
            throw ValidationError("--column and --format describe the file of --check, which is missing.")
        }
    }

    func run() async throws {
        let texts: [String]? =
            if let check {
                try await TextFile(path: check, columns: column.map { [$0] } ?? [], format: format).open().all()
            } else {
                nil
            }
        try await Session.run(common) { session in
            var request = Hidra_V1_QuantizeRequest()
            request.encoder = encoder
            request.precision = (precision ?? (check == nil ? .int8 : nil))?.rawValue ?? ""
            if let texts {
                request.data = try await session.client.upload(columns: [UploadColumn("text", texts)])
                request.inputColumn = "text"
            }
            let final = request
            let (reply, _) = try await session.job { try await session.client.quantize(final, progress: $0) }
            let console = session.console, report = QuantizeReport(reply: reply, texts: texts ?? [])
            try console.print(console.json ? report.json.text : report.render(switched: !final.precision.isEmpty, style: console.style))
        }
    }
}
