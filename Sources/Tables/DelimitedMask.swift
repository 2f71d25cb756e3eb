/// Text with delimiters, rewritten so that SwiftCSV 0.10 reads it as RFC 4180 means it.
///
/// SwiftCSV looks at one `Character` at a time, which goes wrong in a field where
///  - a combining mark, joiner or skin tone comes first: it forms one `Character` with the delimiter or quote before it;
///  - U+2028, U+2029, U+0085, VT or FF occurs: it ends the row;
///  - white space comes first: it is dropped;
///  - a quote occurs that does not open the field: it is an error, or two become one;
/// and where the text ends: an empty last field is dropped, and a quote left open goes unnoticed.
///
/// So every byte of a field that could be taken for something else is replaced by the letter U+0100 + byte, one
/// `Character` that means nothing to SwiftCSV, and put back afterwards. The pass also says which line a row begins in,
/// and finds the faults that need one: SwiftCSV's errors have no place.
struct DelimitedMask {
    /// The rewritten text: rows end with LF, also the last one.
    private(set) var text: [UInt8] = []
    /// Line in which each row of `text` begins, from 1.
    private(set) var lines: [Int] = []

    private enum State {
        case fieldStart, unquoted, quoted, quoteInQuoted
    }

    private let delimiter: UInt8
    private var state = State.fieldStart
    private var line = 1
    /// Line in which the row being read begins.
    private var rowLine = 1
    /// Where that row begins in `text`.
    private var rowStart = 0
    private var quoteLine = 1
    private var delimiters = 0
    /// Lines of blank rows not yet written: those at the end of the text never are.
    private var blankLines: [Int] = []

    init(delimiter: UInt8) {
        self.delimiter = delimiter
    }

    /// The data row being read, from 1; 0 is the header.
    var row: Int { lines.count + blankLines.count }

    /// Takes in the next part of the text.
    ///
    /// Throws: `.malformed`, with row and line.
    mutating func feed(_ bytes: ArraySlice<UInt8>) throws(TableError) {
        text.reserveCapacity(text.count + bytes.count + bytes.count / 8)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            let isCRLF = byte == 0x0D && index < bytes.endIndex && bytes[index] == 0x0A
            if isCRLF { index += 1 }
            try take(byte, isCRLF: isCRLF)
        }
    }

    /// Ends the text.
    ///
    /// Throws: `.malformed` where a quote is open.
    mutating func finish() throws(TableError) {
        if state == .quoted {
            throw fault("a quote opened in line \(quoteLine) is not closed; double the quotes inside a quoted field")
        }
        if text.count > rowStart { endRow() }
    }

    private mutating func take(_ byte: UInt8, isCRLF: Bool) throws(TableError) {
        let isNewline = byte == 0x0A || byte == 0x0D
        switch state {
        case .quoted:
            if byte == UInt8(ascii: "\"") {
                state = .quoteInQuoted
                text.append(byte)
            } else if isNewline {
                text.append(byte)
                if isCRLF { text.append(0x0A) }
                line += 1
            } else {
                keep(byte)
            }
        case .fieldStart, .unquoted, .quoteInQuoted:
            if byte == delimiter {
                text.append(byte)
                delimiters += 1
                state = .fieldStart
            } else if isNewline {
                endRow()
                line += 1
                rowLine = line
                state = .fieldStart
            } else {
                try takeContent(byte)
            }
        }
    }

    /// A byte outside quotes that ends neither field nor row.
    private mutating func takeContent(_ byte: UInt8) throws(TableError) {
        let isQuote = byte == UInt8(ascii: "\"")
        switch state {
        case .fieldStart where isQuote:
            state = .quoted
            quoteLine = line
            text.append(byte)
        case .fieldStart where byte == 0x20 || byte == 0x09:
            state = .unquoted
            mask(byte)
        case .quoteInQuoted:
            guard isQuote else {
                throw fault("text follows a closing quote; double the quotes inside a quoted field")
            }
            state = .quoted
            text.append(byte)
        default:
            state = .unquoted
            if isQuote { mask(byte) } else { keep(byte) }
        }
    }

    private mutating func keep(_ byte: UInt8) {
        if byte >= 0x80 || byte == 0x0B || byte == 0x0C { mask(byte) } else { text.append(byte) }
    }

    /// Appends U+0100 + byte in UTF-8.
    private mutating func mask(_ byte: UInt8) {
        text.append(0xC4 + byte >> 6)
        text.append(0x80 | byte & 0x3F)
    }

    private mutating func endRow() {
        guard text.count > rowStart else {
            // A blank line is an empty value in a table of one column, and nothing in any other.
            if !lines.isEmpty && delimiters == 0 { blankLines.append(rowLine) }
            return
        }
        if !blankLines.isEmpty {
            text.insert(contentsOf: repeatElement(0x0A, count: blankLines.count), at: rowStart)
            lines += blankLines
            blankLines.removeAll()
        }
        text.append(0x0A)
        lines.append(rowLine)
        rowStart = text.count
    }

    private func fault(_ reason: String) -> TableError {
        TableError(.malformed, reason, row: row, line: rowLine)
    }

    /// The field as it was before masking.
    static func unmasked(_ field: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(field.utf8.count)
        var high: UInt8 = 0
        for byte in field.utf8 {
            if byte < 0x80 {
                bytes.append(byte)
            } else if byte >= 0xC0 {
                high = byte
            } else {
                bytes.append((high - 0xC4) << 6 | byte & 0x3F)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
