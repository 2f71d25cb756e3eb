package import Foundation

/// Named columns of text, all `[rows]` long.
package struct Table: Sendable {
    /// A column, or why it cannot be used. A row that lacks a value spoils only the columns it lacks.
    struct Column: Sendable {
        var values: [String]
        var fault: TableError?
    }

    /// The columns' names, in order.
    package let columns: [String]
    package let rows: Int
    /// What the table was read from, for messages.
    package let source: String
    private let contents: [Column]

    /// Most bytes a table may have unless the caller says otherwise.
    package static let defaultSizeLimit = 2 << 30

    init(columns: [String], contents: [Column], rows: Int, source: String) {
        precondition(columns.count == contents.count, "Table: \(columns.count) names for \(contents.count) columns")
        self.columns = columns
        self.contents = contents
        self.rows = rows
        self.source = source
    }

    /// The values of a column, `[rows]`.
    ///
    /// Throws: `.missingColumn`, with the columns there are; `.missingValue`, with the first row that has no text there.
    package func column(_ name: String) throws(TableError) -> [String] {
        guard let index = columns.firstIndex(of: name) else {
            let suggestion = nearest(name, in: columns).map { "; did you mean '\($0)'?" } ?? "."
            let names = columns.map { "'\($0)'" }.joined(separator: ", ")
            throw TableError(
                .missingColumn, "there is no column '\(name)'\(suggestion) Columns: \(names)", source: source)
        }
        if let fault = contents[index].fault { throw fault.of(source) }
        return contents[index].values
    }

    /// Reads a table from a file, or from a pipe with a path.
    ///
    /// - Parameter format: nil: told by the extension.
    /// - Parameter sizeLimit: most bytes to read; a file's size is looked at before it is opened.
    package static func read(
        path: String, format: TableFormat? = nil, sizeLimit: Int = defaultSizeLimit
    ) throws(TableError) -> Table {
        let format = if let format { format } else { try TableFormat(path: path) }
        let data: Data
        do {
            data = try BoundedFile.read(path, limit: sizeLimit)
        } catch {
            throw error.of(path)
        }
        return try read(data: data, format: format, name: path, sizeLimit: sizeLimit)
    }

    /// Reads a table from bytes, such as those of standard input.
    ///
    /// - Parameter name: what to call the input in messages.
    package static func read(
        data: Data, format: TableFormat, name: String, sizeLimit: Int = defaultSizeLimit
    ) throws(TableError) -> Table {
        do throws(TableError) {
            guard data.count <= sizeLimit else { throw BoundedFile.tooLarge(data.count, limit: sizeLimit) }
            let text = TableText(data)
            switch format {
            case .csv: return try DelimitedReader.read(text, delimiter: .comma, source: name)
            case .tsv: return try DelimitedReader.read(text, delimiter: .tab, source: name)
            case .jsonl: return try JSONLinesReader.read(text, source: name)
            }
        } catch {
            throw error.of(name)
        }
    }
}
