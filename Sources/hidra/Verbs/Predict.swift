import ArgumentParser
import HidraClient
import HidraProtocol

struct Predict: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Predict labels or values of texts or images.",
        discussion: """
            Several heads separated by commas share one pass of their encoder. Texts come from arguments, from --file, \
            or from a pipe, one a line; they are answered in order and as they come. For heads on an image encoder they are \
            paths of JPEG, PNG or WebP files; a folder stands for the images in it.

            A head that reads several columns, as `hidra show HEAD` lists them, takes a text for each of them in turn: as arguments \
            one after the other, from a table with --column once for each, from lines separated by tabs.

            On a terminal the answer is a table. In a pipe it is TSV with a header: text or image, then HEAD and HEAD_score for \
            each head (a regression head has no score); several labels of one text are joined by "|". With --json it \
            is one object a text, {"event":"prediction",…}.

            EXAMPLE:
              hidra predict intent,urgency "my card has not arrived"
              hidra predict intent --file tickets.csv --column message --top 3 > p.tsv
              tail -f messages.txt | hidra predict intent --json
              hidra predict planes photo.jpg
              hidra predict fits "a question" "an answer"
              hidra predict fits --file pairs.csv --column question --column answer

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such head, 4 bad data, 7 time-out, 8 cancelled.
            """)

    @Argument(help: ArgumentHelp("Heads, separated by commas.", valueName: "head[,head…]"))
    var heads: HeadNames

    @OptionGroup var texts: TextOptions

    @Option(help: ArgumentHelp("Labels shown for each text, best first.", valueName: "k"))
    var top: Int?

    @Flag(help: "Leave out the header line of the table or TSV.")
    var noHeader = false

    @OptionGroup var precision: PrecisionOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let top, top < 1 { throw ValidationError("--top must be 1 or more.") }
    }

    func run() async throws {
        let opened = try await texts.open()
        try await Session.run(common) { session in
            let console = session.console
            let layout: PredictionWriter.Layout = common.json ? .json : console.output.isInteractive ? .table : .tsv
            let (kind, columns) = try await InputKind.of(head: heads.names[0], session)
            var writer = PredictionWriter(
                heads: heads.names, inputs: columns.count > 1 ? columns : [kind == .images ? "image" : "text"], layout: layout, style: console.style,
                width: console.width, header: !noHeader)
            var totals = PredictionTotals()
            var source = opened
            while columns.count > 1 {
                let rows = try await source.nextRows(limit: session.batchSize, of: columns)
                if rows.isEmpty { break }
                let parts = try session.client.predictions(
                    heads: heads.names, columns: columns.indices.map { column in rows.map { $0[column] } }, top: top ?? 0,
                    precision: precision.wire)
                let last = try await answer(parts, rows.count) { range, predictions in
                    try console.output.write(writer.render(rows: Array(rows[range]), predictions))
                }
                totals.add(last, inputs: rows.count)
            }
            while columns.count <= 1 {
                let names = try await source.next(limit: session.batchSize)
                if names.isEmpty { break }
                try await answer(try kind.expand(names), kind, session, &writer, &totals)
            }
            if common.json {
                try console.print(totals.json)
            } else if totals.truncated > 0 {
                try console.note(totals.truncationNote)
            }
            guard totals.unreadable == 0 else { throw totals.unreadableError }
        }
    }

    private func answer(
        _ names: [String], _ kind: InputKind, _ session: Session, _ writer: inout PredictionWriter,
        _ totals: inout PredictionTotals
    ) async throws {
        // Images that cannot be read, here or there: they are noted where their answers would be.
        var problems: [Int: String] = [:], noted = 0
        func note(before end: Int) throws {
            for position in noted..<end {
                guard let problem = problems[position] else { continue }
                totals.addUnreadable()
                try session.console.note("\(names[position]): \(problem)")
            }
            noted = max(noted, end)
        }
        try await kind.inRequests(names) { positions, inputs in
            let parts = try session.client.predictions(heads: heads.names, inputs, top: top ?? 0, precision: precision.wire)
            let last = try await answer(parts, positions.count) { range, predictions in
                let own = Array(positions[range]), readable = predictions.indices.filter { predictions[$0].problem.isEmpty }
                if !readable.isEmpty {
                    try session.console.output.write(
                        writer.render(readable.map { names[own[$0]] }, readable.map { predictions[$0] }))
                }
                for (position, prediction) in zip(own, predictions) where !prediction.problem.isEmpty {
                    problems[position] = prediction.problem
                }
                try note(before: (own.last ?? -1) + 1)
            }
            totals.add(last, inputs: positions.count)
        } problem: { position, message in
            problems[position] = message
        }
        try note(before: names.count)
    }

    /// Takes the parts of one request's answers as they come. Returns the last, which has the totals.
    private func answer(
        _ parts: AsyncThrowingStream<Hidra_V1_PredictReply, any Error>, _ count: Int,
        _ take: (Range<Int>, [Hidra_V1_Prediction]) throws -> Void
    ) async throws -> Hidra_V1_PredictReply {
        var done = 0, last = Hidra_V1_PredictReply()
        for try await part in parts {
            last = part
            guard !part.inputs.isEmpty, done + part.inputs.count <= count else { continue }
            try take(done..<done + part.inputs.count, part.inputs)
            done += part.inputs.count
        }
        // A task that was cancelled sees the end of the stream.
        try Task.checkCancellation()
        guard done == count else {
            throw HidraError(
                .internalError,
                "The daemon answered \(done) of \(count) inputs. Try again; if it happens again, run `hidra doctor`.")
        }
        return last
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
    private(set) var inputs = 0
    private(set) var unreadable = 0
    private(set) var encoded: UInt64 = 0
    private(set) var cached: UInt64 = 0
    private(set) var truncated: UInt64 = 0
    private(set) var seconds = 0.0

    mutating func add(_ reply: Hidra_V1_PredictReply, inputs count: Int) {
        inputs += count
        encoded += reply.encoded
        cached += reply.cached
        truncated += reply.truncated
        seconds += reply.seconds
    }

    mutating func add(_ reply: Hidra_V1_EmbedReply, inputs count: Int) {
        inputs += count
        cached += reply.cached
        truncated += reply.truncated
        seconds += reply.seconds
    }

    mutating func addUnreadable() { unreadable += 1 }

    /// What the command ends with when some images could not be read and the others were answered.
    var unreadableError: HidraError {
        HidraError(
            .invalidData,
            "\(Format.count(UInt64(unreadable), "image")) could not be read, as noted above; all others were answered.")
    }

    var truncationNote: String {
        Format.count(truncated, "text was", plural: "texts were")
            + " longer than the encoder's limit and cut; `hidra show ENCODER` tells the limit."
    }

    var json: JSON {
        .event(
            "result",
            [
                ("inputs", .integer(Int64(inputs))), ("encoded", .unsigned(encoded)), ("cached", .unsigned(cached)),
                ("truncated", .unsigned(truncated)), ("seconds", .number(seconds)),
            ])
    }
}
