/// Reads JSON lines: one object a line, blank lines apart.
///
/// The columns are the keys, in order of first appearance. A row without a key, or with a value that is no text, makes
/// that column unusable and no other: data sets carry fields that no one asks for.
enum JSONLinesReader {
    /// Most different keys. Objects with keys made from data would otherwise take memory without bound.
    static let columnLimit = 4096

    static func read(_ text: TableText, source: String) throws(TableError) -> Table {
        var builder = Builder()
        let invalid = text.firstInvalidByte()
        let bytes = text.bytes
        var start = 0
        var line = 0
        while start < bytes.count {
            line += 1
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            if let invalid, invalid.offset <= end {
                throw TableError(
                    .notUTF8, "\(invalid.reason); save the file as UTF-8", row: builder.rows + 1, line: line)
            }
            if bytes[start..<end].contains(where: { !JSONLineParser.isSpace($0) }) {
                try builder.add(JSONLineParser(bytes, start..<end), line: line)
            }
            start = end + 1
        }
        guard builder.rows > 0 else {
            throw TableError(.empty, "is empty; each line must hold one JSON object")
        }
        return Table(columns: builder.names, contents: builder.columns, rows: builder.rows, source: source)
    }

    private struct Builder {
        var names: [String] = []
        var columns: [Table.Column] = []
        var rows = 0
        private var firstLine = 1
        private var indices: [String: Int] = [:]
        /// The row that last had a value in each column.
        private var lastRows: [Int] = []

        mutating func add(_ parser: JSONLineParser, line: Int) throws(TableError) {
            var parser = parser
            rows += 1
            if rows == 1 { firstLine = line }
            let fields: [JSONLineParser.Field]
            do throws(JSONLineParser.Fault) {
                fields = try parser.object()
            } catch {
                throw TableError(
                    .malformed, "byte \(error.column): \(error.reason); each line must hold one JSON object", row: rows,
                    line: line)
            }
            for field in fields { try add(field, line: line) }
            for index in columns.indices where lastRows[index] < rows {
                spoil(index, "has no '\(names[index])'", row: rows, line: line)
            }
        }

        private mutating func add(_ field: JSONLineParser.Field, line: Int) throws(TableError) {
            let index = try index(of: field.key, line: line)
            guard lastRows[index] < rows else {
                throw TableError(.malformed, "the key '\(field.key)' occurs twice", row: rows, line: line)
            }
            lastRows[index] = rows
            switch field.value {
            case .text(let value):
                if columns[index].fault == nil { columns[index].values.append(value) }
            case .unusable(let reason):
                spoil(index, "'\(field.key)' \(reason)", row: rows, line: line)
            }
        }

        private mutating func index(of key: String, line: Int) throws(TableError) -> Int {
            if let index = indices[key] { return index }
            guard !key.allSatisfy(\.isWhitespace) else {
                throw TableError(.malformed, "a key is empty; give it a name", row: rows, line: line)
            }
            guard names.count < columnLimit else {
                throw TableError(.malformed, "more than \(columnLimit) different keys", row: rows, line: line)
            }
            let index = names.count
            indices[key] = index
            names.append(key)
            columns.append(Table.Column(values: []))
            lastRows.append(0)
            if rows > 1 { spoil(index, "has no '\(key)'", row: 1, line: firstLine) }
            return index
        }

        /// Marks a column unusable; the first reason stays.
        private mutating func spoil(_ index: Int, _ reason: String, row: Int, line: Int) {
            guard columns[index].fault == nil else { return }
            columns[index] = Table.Column(
                values: [],
                fault: TableError(
                    .missingValue, "\(reason); every row needs a string, a number, true, false or an array of strings",
                    row: row, line: line))
        }
    }
}
