import ArgumentParser
import HidraClient
import HidraProtocol
import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where `predict` and `embed` take their texts from: arguments, a file, or a pipe.
struct TextOptions: ParsableArguments {
    @Argument(help: "Texts. Without any, and without --file, they are read from standard input, one a line.")
    var texts: [String] = []

    @Option(
        help: ArgumentHelp(
            "File with the texts: a table (.csv, .tsv, .jsonl; say --column), or any other with one text a line.",
            valueName: "file"),
        completion: .file())
    var file: String?

    @Option(help: ArgumentHelp("Column of the table that holds the texts.", valueName: "name"))
    var column: String?

    @Option(help: "Format of a table whose name does not tell, or that comes through a pipe.")
    var format: FormatOption?

    func validate() throws {
        if file != nil, !texts.isEmpty {
            throw ValidationError("Give texts either as arguments or with --file, not both.")
        }
        if column != nil || format != nil, !texts.isEmpty {
            throw ValidationError("--column and --format describe a table, but the texts are given as arguments.")
        }
        if column != nil, file ?? "-" == "-", format == nil {
            throw ValidationError("--column needs a table: give --file, or --format for one on standard input.")
        }
    }

    /// Opens the source. Throws when there is none: no argument, no file, and a keyboard instead of a pipe.
    func open() async throws -> TextSource {
        if !texts.isEmpty { return TextSource(texts) }
        guard file != nil || isatty(STDIN_FILENO) == 0 else {
            throw HidraError(
                .invalidArgument, "No texts. Give them as arguments, with --file, or through a pipe, one a line.")
        }
        return try await TextFile(path: file ?? TableInput.standardInput, column: column, format: format).open()
    }
}

/// A table with a column of texts, or a file with one text a line.
struct TextFile {
    let path: String
    let column: String?
    let format: FormatOption?

    func open() async throws -> TextSource {
        guard column != nil || format != nil || TableInput.isTable(path) else {
            return TextSource(path == TableInput.standardInput ? .standardInput() : try .file(path))
        }
        let table = try await TableInput.read(path, format: format)
        guard let column = column ?? (table.columns.count == 1 ? table.columns.first : nil) else {
            throw HidraError(
                .invalidArgument,
                "\(path) is a table: name its text column with --column. "
                    + "Columns: \(table.columns.joined(separator: ", ")).")
        }
        return TextSource(try table.column(column))
    }
}

/// Texts in batches, from memory or from a stream of lines.
struct TextSource: Sendable {
    private enum Origin: Sendable {
        case memory([String])
        case lines(LineFeed)
    }

    private let origin: Origin
    private var position = 0

    init(_ texts: [String]) { origin = .memory(texts) }
    init(_ lines: LineFeed) { origin = .lines(lines) }

    /// All texts: a stream is read to its end.
    func all() async throws -> [String] {
        switch origin {
        case .memory(let texts): return texts
        case .lines(let feed):
            var texts: [String] = []
            while true {
                let batch = try await feed.next(limit: 4096)
                if batch.isEmpty { return texts }
                texts += batch
            }
        }
    }

    /// The next texts, at most `limit`; empty at the end.
    mutating func next(limit: Int) async throws -> [String] {
        switch origin {
        case .memory(let texts):
            let batch = Array(texts[position..<min(position + limit, texts.count)])
            position += batch.count
            return batch
        case .lines(let feed):
            return try await feed.next(limit: limit)
        }
    }
}
