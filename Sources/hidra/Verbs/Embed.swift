import ArgumentParser
import HidraClient
import HidraProtocol
import Tables

struct Embed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Turn texts into vectors.",
        discussion: """
            With -o the vectors go to a NumPy file, float32 [rows, width], written as they come. Without it each text \
            gives one line of numbers separated by spaces; with --json one object, {"event":"embedding",…}.

            EXAMPLE:
              hidra embed minilm --file tickets.csv --column message -o tickets.npy
              hidra embed minilm "my card has not arrived"

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such encoder, 4 bad data, 7 time-out, 8 cancelled, 9 disk full.
            """)

    @Argument(help: ArgumentHelp("Encoder to use; `hidra ls` lists them.", valueName: "encoder"))
    var encoder: String

    @OptionGroup var texts: TextOptions

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("NumPy file to write.", valueName: "file.npy"), completion: .file())
    var output: String?

    @Option(help: ArgumentHelp("Layer to read, 0 being the embeddings (default: the top).", valueName: "layer"))
    var tap: Int?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let tap, tap < 0 || tap > Int(UInt32.max) { throw ValidationError("--tap is a layer, 0 or more.") }
    }

    func run() async throws {
        let opened = try await texts.open()
        try await Session.run(common) { session in
            if let output {
                try await write(opened, to: output, session)
            } else {
                try await print(opened, session)
            }
        }
    }

    /// Lines on standard output, as the vectors come.
    private func print(_ opened: TextSource, _ session: Session) async throws {
        var source = opened
        var totals = PredictionTotals()
        while let batch = try await next(&source, session, &totals) {
            try session.console.output.write(lines(batch.texts, batch.values, width: batch.width))
        }
        try report(totals, rows: nil, width: 0, session.console)
    }

    /// A NumPy file, whose header needs the number of rows before the first of them.
    private func write(_ opened: TextSource, to path: String, _ session: Session) async throws {
        var (source, rows) = try await opened.counted()
        guard rows > 0 else {
            throw HidraError(.invalidData, "There are no texts, so \(path) was not written. Check the input.")
        }
        var totals = PredictionTotals()
        var file: (writer: NumPyWriter, width: Int)?
        while let batch = try await next(&source, session, &totals) {
            let open =
                try file ?? (NumPyWriter(path: path, rows: rows, width: batch.width), batch.width)
            guard batch.width == open.width else { throw Self.wrongShape }
            try open.writer.append(batch.values)
            file = open
        }
        try file?.writer.finish()
        try report(totals, rows: rows, width: file?.width ?? 0, session.console)
    }

    /// The next texts and their vectors; nil at the end.
    private func next(
        _ source: inout TextSource, _ session: Session, _ totals: inout PredictionTotals
    ) async throws -> (texts: [String], values: [Float], width: Int)? {
        let texts = try await source.next(limit: session.batchSize)
        if texts.isEmpty { return nil }
        let (values, rows, width, reply) = try await session.client.embed(encoder: encoder, texts: texts, tap: tap)
        guard rows == texts.count, values.count == rows * width else { throw Self.wrongShape }
        totals.add(reply, texts: texts.count)
        return (texts, values, width)
    }

    private static let wrongShape = HidraError(
        .internalError,
        "The daemon sent vectors of another shape than it was asked for. Try again; if it happens "
            + "again, run `hidra doctor`."
    )

    private func lines(_ texts: [String], _ values: [Float], width: Int) -> String {
        var text = ""
        for (row, source) in texts.enumerated() {
            let vector = values[row * width..<(row + 1) * width]
            if common.json {
                let members: [(String, JSON)] = [
                    ("text", .string(source)), ("values", .array(vector.map { .single($0) })),
                ]
                text += JSON.event("embedding", members).text + "\n"
            } else {
                text += vector.map(\.description).joined(separator: " ") + "\n"
            }
        }
        return text
    }
}

extension Embed {
    private func report(_ totals: PredictionTotals, rows: Int?, width: Int, _ console: Console) throws {
        if common.json {
            guard let output, let rows else { return try console.print(totals.json) }
            return try console.print(
                .event(
                    "result",
                    [
                        ("file", .string(output)), ("rows", .integer(Int64(rows))), ("width", .integer(Int64(width))),
                        ("cached", .unsigned(totals.cached)), ("truncated", .unsigned(totals.truncated)),
                        ("seconds", .number(totals.seconds)),
                    ]))
        }
        if let output, let rows {
            try console.print(
                "Wrote \(output): float32 [\(rows), \(width)], \(Format.duration(totals.seconds)) of the daemon's time")
        }
        if totals.truncated > 0 { try console.note(totals.truncationNote) }
    }
}
