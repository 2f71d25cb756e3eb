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

    @Option(
        help: ArgumentHelp(
            "Column of the table that holds the texts; once for each column that the head reads.", valueName: "name"))
    var column: [String] = []

    @Option(help: "Format of a table whose name does not tell, or that comes through a pipe.")
    var format: FormatOption?

    func validate() throws {
        if file != nil, !texts.isEmpty {
            throw ValidationError("Give texts either as arguments or with --file, not both.")
        }
        if !column.isEmpty || format != nil, !texts.isEmpty {
            throw ValidationError("--column and --format describe a table, but the texts are given as arguments.")
        }
        if !column.isEmpty, file ?? "-" == "-", format == nil {
            throw ValidationError("--column needs a table: give --file, or --format for one on standard input.")
        }
    }

    /// Opens the source. Throws when there is none: no argument, no file, and a keyboard instead of a pipe.
    func open() async throws -> TextSource {
        if !texts.isEmpty { return TextSource(texts, areArguments: true) }
        guard file != nil || isatty(STDIN_FILENO) == 0 else {
            throw HidraError(
                .invalidArgument, "No texts. Give them as arguments, with --file, or through a pipe, one a line.")
        }
        return try await TextFile(path: file ?? TableInput.standardInput, columns: column, format: format).open()
    }
}

/// A table with a column of texts, or several, or a file with one text a line.
struct TextFile {
    let path: String
    let columns: [String]
    let format: FormatOption?

    func open() async throws -> TextSource {
        guard !columns.isEmpty || format != nil || TableInput.isTable(path) else {
            return TextSource(path == TableInput.standardInput ? .standardInput() : try .file(path))
        }
        let table = try await TableInput.read(path, format: format)
        let columns = columns.isEmpty && table.columns.count == 1 ? table.columns : columns
        guard !columns.isEmpty else {
            throw HidraError(
                .invalidArgument,
                "\(path) is a table: name its text column with --column. "
                    + "Columns: \(table.columns.joined(separator: ", ")).")
        }
        return TextSource(columns: try columns.map(table.column))
    }
}

/// Texts in batches, from memory or from a stream of lines; or rows of texts, for heads that read several columns.
struct TextSource: Sendable {
    private enum Origin: Sendable {
        /// Of the command line: rows of several texts follow one another.
        case arguments([String])
        case columns([[String]])
        case lines(LineFeed)
    }

    private let origin: Origin
    private var position = 0

    init(_ texts: [String], areArguments: Bool = false) { origin = areArguments ? .arguments(texts) : .columns([texts]) }
    init(columns: [[String]]) { origin = .columns(columns) }
    init(_ lines: LineFeed) { origin = .lines(lines) }

    /// All texts: a stream is read to its end.
    func all() async throws -> [String] {
        switch origin {
        case .arguments(let texts): return texts
        case .columns(let columns): return try Self.only(columns)
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
        case .arguments(let texts): return take(texts, limit)
        case .columns(let columns): return take(try Self.only(columns), limit)
        case .lines(let feed):
            return try await feed.next(limit: limit)
        }
    }

    /// The next rows, at most `limit`, of a text for each of `names`; empty at the end. Arguments make a row together, `names.count` at
    /// a time; a line has the texts of its row separated by tabs.
    mutating func nextRows(limit: Int, of names: [String]) async throws -> [[String]] {
        let count = names.count, listed = names.joined(separator: ", ")
        switch origin {
        case .arguments(let texts):
            guard texts.count % count == 0 else {
                throw HidraError(
                    .invalidArgument,
                    "The head reads \(count) columns, \(listed): give \(count) texts for each row, one after the other; "
                        + "\(texts.count) are no whole number of rows.")
            }
            let rows = stride(from: 0, to: texts.count, by: count).map { Array(texts[$0..<$0 + count]) }
            return take(rows, limit)
        case .columns(let columns):
            guard columns.count == count else {
                throw HidraError(
                    .invalidArgument,
                    "The head reads \(count) columns, \(listed): name each with --column, in this order; \(columns.count) are named.")
            }
            let end = min(position + limit, columns[0].count)
            defer { position = end }
            return (position..<end).map { row in columns.map { $0[row] } }
        case .lines(let feed):
            return try await feed.next(limit: limit).map { line in
                position += 1
                let row = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                guard row.count == count else {
                    throw HidraError(
                        .invalidData,
                        "Line \(position) has \(row.count - 1) tabs: the head reads \(count) columns, \(listed), and a line needs their "
                            + "texts in this order with a tab between them.", details: ["row": String(position)])
                }
                return row
            }
        }
    }

    private mutating func take<Element>(_ all: [Element], _ limit: Int) -> [Element] {
        let batch = Array(all[position..<min(position + limit, all.count)])
        position += batch.count
        return batch
    }

    /// The one column of a table that is read as texts.
    private static func only(_ columns: [[String]]) throws -> [String] {
        guard columns.count == 1 else {
            throw HidraError(.invalidArgument, "\(columns.count) columns are named with --column, and only one is read here.")
        }
        return columns[0]
    }
}
