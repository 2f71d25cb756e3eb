/// Why a table, or an array file, could not be read or written.
package struct TableError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The file is not there.
        case notFound
        /// The file cannot be opened, read or written.
        case unreadable
        /// The input is larger than the limit.
        case tooLarge
        /// The file name tells no format, and none was given.
        case unknownFormat
        /// There is no header and no row.
        case empty
        /// A byte is not UTF-8.
        case notUTF8
        /// The text does not follow its format.
        case malformed
        /// A column that was asked for does not exist.
        case missingColumn
        /// A column that was asked for lacks a value, or has one that is no text.
        case missingValue
    }

    package var code: Code
    /// What is wrong and what to do about it.
    package var message: String
    /// The file, or what stands for it in messages (`standard input`).
    package var source: String?
    /// Data row, from 1; the header is not counted. 0: the header itself.
    package var row: Int?
    /// Line of the text, from 1.
    package var line: Int?
    package var cause: (any Error)?

    package init(
        _ code: Code, _ message: String, source: String? = nil, row: Int? = nil, line: Int? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.source = source
        self.row = row
        self.line = line
        self.cause = cause
    }

    /// `tickets.csv, row 3 (line 5): …`
    package var description: String {
        let place =
            switch (row, line) {
            case (0, let line?): "header (line \(line))"
            case (let row?, let line?): "row \(row) (line \(line))"
            case (let row?, nil): "row \(row)"
            case (nil, let line?): "line \(line)"
            case (nil, nil): ""
            }
        let origin = [source ?? "", place].filter { !$0.isEmpty }.joined(separator: ", ")
        return origin.isEmpty ? message : "\(origin): \(message)"
    }

    /// The same error, said of `source`.
    func of(_ source: String) -> TableError {
        var error = self
        error.source = source
        return error
    }
}
