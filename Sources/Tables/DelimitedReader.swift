import SwiftCSV

/// Reads CSV and TSV.
enum DelimitedReader {
    /// Rows as they come from SwiftCSV. A class: SwiftCSV's callback escapes.
    private final class Collector {
        var header: [String]?
        var columns: [[String]] = []
        var rows = 0
        /// The first row whose number of fields is not the header's.
        var ragged: (row: Int, fields: Int)?

        func add(_ fields: [String]) {
            guard header != nil else {
                header = fields.map(DelimitedMask.unmasked)
                columns = Array(repeating: [], count: fields.count)
                return
            }
            rows += 1
            guard fields.count == columns.count else {
                ragged = ragged ?? (rows, fields.count)
                return
            }
            for (column, field) in fields.enumerated() { columns[column].append(DelimitedMask.unmasked(field)) }
        }
    }

    static func read(_ text: TableText, delimiter: Delimiter, source: String) throws(TableError) -> Table {
        var mask = DelimitedMask(delimiter: delimiter.byte)
        if let invalid = text.firstInvalidByte() {
            // Rows and lines are not the same where quotes hold line ends, so the rows before the byte are counted.
            try mask.feed(text.bytes[..<invalid.offset])
            throw TableError(
                .notUTF8, "\(invalid.reason); save the file as UTF-8", row: mask.row,
                line: text.line(of: invalid.offset))
        }
        try mask.feed(text.bytes[...])
        try mask.finish()
        guard !mask.lines.isEmpty else {
            throw TableError(.empty, "is empty; the first line must name the columns")
        }
        let collector = Collector()
        do {
            // `rowLimit: 0` keeps the initialiser from parsing everything; the rows are parsed once, one at a time.
            let parser = try EnumeratedCSV(
                string: String(decoding: mask.text, as: UTF8.self), delimiter: delimiter.parsed, loadColumns: false,
                rowLimit: 0)
            try parser.enumerateAsArray(startAt: 0, rowLimit: nil) { collector.add($0) }
        } catch {
            let row = min(collector.rows + 1, mask.lines.count - 1)
            throw TableError(
                .malformed, "cannot be parsed; write it anew with every field quoted", row: row, line: mask.lines[row],
                cause: error)
        }
        guard collector.rows + 1 == mask.lines.count else {
            throw TableError(
                .malformed,
                "\(collector.rows + 1) rows were parsed of \(mask.lines.count); write it anew with every field quoted")
        }
        let header = collector.header ?? []
        try check(header, line: mask.lines[0])
        if let ragged = collector.ragged {
            throw TableError(
                .malformed,
                "\(ragged.fields) field\(ragged.fields == 1 ? "" : "s"), but the header names \(header.count); "
                    + "quote fields that hold a delimiter",
                row: ragged.row, line: mask.lines[ragged.row])
        }
        return Table(
            columns: header, contents: collector.columns.map { Table.Column(values: $0) }, rows: collector.rows,
            source: source)
    }

    private static func check(_ header: [String], line: Int) throws(TableError) {
        var seen: Set<String> = []
        for (index, name) in header.enumerated() {
            guard !name.allSatisfy(\.isWhitespace) else {
                throw TableError(.malformed, "column \(index + 1) has no name; give it one", row: 0, line: line)
            }
            guard seen.insert(name).inserted else {
                throw TableError(.malformed, "two columns are called '\(name)'; rename one", row: 0, line: line)
            }
        }
    }
}
