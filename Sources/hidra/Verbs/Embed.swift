import ArgumentParser
import HidraClient
import HidraProtocol
import Tables

struct Embed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed",
        abstract: "Turn texts or images into vectors.",
        discussion: """
            With -o the vectors go to a NumPy file, float32 [rows, width], written as they come. Without it each text \
            gives one line of numbers separated by spaces; with --json one object, {"event":"embedding",…}. For an image \
            encoder the texts are paths of images; one that cannot be read is a row of NaN, and is named.

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

    @Option(
        help: ArgumentHelp(
            "Tap to read: a layer's number, 0 being the embeddings, or a name that `hidra show ENCODER` lists (default: the top).",
            valueName: "tap"))
    var tap: String = ""

    @OptionGroup var precision: PrecisionOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let opened = try await texts.open()
        try await Session.run(common) { session in
            let kind = try await InputKind.of(encoder: encoder, session)
            if let output {
                try await write(opened, kind, to: output, session)
            } else {
                try await print(opened, kind, session)
            }
        }
    }

    /// Lines on standard output, as the vectors come.
    private func print(_ opened: TextSource, _ kind: InputKind, _ session: Session) async throws {
        var source = opened
        var totals = PredictionTotals()
        while let batch = try await next(&source, kind, session, &totals) {
            try session.console.output.write(lines(batch.texts, batch.values, width: batch.width))
        }
        try report(totals, rows: nil, width: 0, session.console)
        guard totals.unreadable == 0 else { throw totals.unreadableError }
    }

    /// A NumPy file, whose header needs the number of rows before the first of them.
    private func write(_ opened: TextSource, _ kind: InputKind, to path: String, _ session: Session) async throws {
        let names = try kind.expand(try await opened.all()), rows = names.count
        var source = TextSource(names)
        guard rows > 0 else {
            throw HidraError(.invalidData, "There are no inputs, so \(path) was not written. Check the input.")
        }
        var totals = PredictionTotals()
        var file: (writer: NumPyWriter, width: Int)?
        while let batch = try await next(&source, kind, session, &totals) {
            let open =
                try file ?? (NumPyWriter(path: path, rows: rows, width: batch.width), batch.width)
            guard batch.width == open.width else { throw Self.wrongShape }
            try open.writer.append(batch.values)
            file = open
        }
        try file?.writer.finish()
        try report(totals, rows: rows, width: file?.width ?? 0, session.console)
        guard totals.unreadable == 0 else { throw totals.unreadableError }
    }

    /// The next texts and their vectors; nil at the end.
    private func next(
        _ source: inout TextSource, _ kind: InputKind, _ session: Session, _ totals: inout PredictionTotals
    ) async throws -> (texts: [String], values: [Float], width: Int)? {
        let names = try kind.expand(try await source.next(limit: session.batchSize))
        if names.isEmpty { return nil }
        var parts: [(positions: [Int], values: [Float])] = [], width = 0
        var problems: [(position: Int, message: String)] = []
        try await kind.inRequests(names) { positions, inputs in
            let (values, rows, partWidth, reply) = try await session.client.embed(
                encoder: encoder, inputs, tap: tap, precision: precision.wire)
            guard rows == positions.count, values.count == rows * partWidth, width == 0 || width == partWidth else {
                throw Self.wrongShape
            }
            width = partWidth
            parts.append((positions, values))
            problems += reply.problems.map { (positions[Int($0.key)], $0.value) }
            totals.add(reply, inputs: positions.count)
        } problem: { position, message in
            problems.append((position, message))
        }
        guard width > 0 else {
            let first = problems.min { $0.position < $1.position }
            throw HidraError(
                .invalidData,
                "None of the images could be read. \(first.map { "\(names[$0.position]): \($0.message)" } ?? "")")
        }
        var values = [Float](repeating: .nan, count: names.count * width)
        for part in parts {
            for (row, position) in part.positions.enumerated() {
                values.replaceSubrange(
                    position * width..<(position + 1) * width, with: part.values[row * width..<(row + 1) * width])
            }
        }
        for problem in problems.sorted(by: { $0.position < $1.position }) {
            totals.addUnreadable()
            try session.console.note("\(names[problem.position]): \(problem.message)")
        }
        return (names, values, width)
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
