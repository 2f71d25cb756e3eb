import ArgumentParser
import HidraClient
import HidraProtocol

struct Predict: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Predict labels or values of texts.",
        discussion: """
            Several heads separated by commas share one pass of their encoder. Texts come from arguments, from --file, \
            or from a pipe, one a line; they are answered in order and as they come.

            On a terminal the answer is a table. In a pipe it is TSV with a header: text, then HEAD and HEAD_score for \
            each head (a regression head has no score); several labels of one text are joined by "|". With --json it \
            is one object a text, {"event":"prediction",…}.

            EXAMPLE:
              hidra predict intent,urgency "my card has not arrived"
              hidra predict intent --file tickets.csv --column message --top 3 > p.tsv
              tail -f messages.txt | hidra predict intent --json

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such head, 4 bad data, 7 time-out, 8 cancelled.
            """)

    @Argument(help: ArgumentHelp("Heads, separated by commas.", valueName: "head[,head…]"))
    var heads: HeadNames

    @OptionGroup var texts: TextOptions

    @Option(help: ArgumentHelp("Labels shown for each text, best first.", valueName: "k"))
    var top: Int?

    @Flag(help: "Leave out the header line of the table or TSV.")
    var noHeader = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let top, top < 1 { throw ValidationError("--top must be 1 or more.") }
    }

    func run() async throws {
        let opened = try await texts.open()
        try await Session.run(common) { session in
            let console = session.console
            let layout: PredictionWriter.Layout = common.json ? .json : console.output.isInteractive ? .table : .tsv
            var writer = PredictionWriter(
                heads: heads.names, layout: layout, style: console.style, width: console.width, header: !noHeader)
            var totals = PredictionTotals()
            var source = opened
            while true {
                let batch = try await source.next(limit: session.batchSize)
                if batch.isEmpty { break }
                let reply = try await session.client.predict(heads: heads.names, texts: batch, top: top ?? 0)
                guard reply.texts.count == batch.count else {
                    throw HidraError(
                        .internalError,
                        "The daemon answered \(reply.texts.count) of \(batch.count) texts. "
                            + "Try again; if it happens again, run `hidra doctor`.")
                }
                totals.add(reply, texts: batch.count)
                try console.output.write(writer.render(batch, reply.texts))
            }
            if common.json { return try console.print(totals.json) }
            if totals.truncated > 0 { try console.note(totals.truncationNote) }
        }
    }
}

/// The heads of one command: "intent,urgency".
struct HeadNames: ExpressibleByArgument, Sendable {
    let names: [String]

    init?(argument: String) {
        let names = argument.split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.filter { !$0.isWhitespace } }
        guard !names.isEmpty, names.allSatisfy({ !$0.isEmpty }), Set(names).count == names.count else { return nil }
        self.names = names
    }
}

/// What the requests of one command add up to.
struct PredictionTotals {
    private(set) var texts = 0
    private(set) var encoded: UInt64 = 0
    private(set) var cached: UInt64 = 0
    private(set) var truncated: UInt64 = 0
    private(set) var seconds = 0.0

    mutating func add(_ reply: Hidra_V1_PredictReply, texts count: Int) {
        texts += count
        encoded += reply.encoded
        cached += reply.cached
        truncated += reply.truncated
        seconds += reply.seconds
    }

    mutating func add(_ reply: Hidra_V1_EmbedReply, texts count: Int) {
        texts += count
        cached += reply.cached
        truncated += reply.truncated
        seconds += reply.seconds
    }

    var truncationNote: String {
        Format.count(truncated, "text was", plural: "texts were")
            + " longer than the encoder's limit and cut; `hidra show ENCODER` tells the limit."
    }

    var json: JSON {
        .event(
            "result",
            [
                ("texts", .integer(Int64(texts))), ("encoded", .unsigned(encoded)), ("cached", .unsigned(cached)),
                ("truncated", .unsigned(truncated)), ("seconds", .number(seconds)),
            ])
    }
}
