import Foundation
import Tables
import Testing

@Suite("CSV and TSV are read as RFC 4180 has them")
struct DelimitedTests {
    /// A text and the columns it stands for, header first.
    struct Sample: Sendable, CustomTestStringConvertible {
        var about: String
        var text: String
        var columns: [[String]]
        var format = TableFormat.csv
        var testDescription: String { about }
    }

    static let samples = [
        Sample(about: "plain", text: "a,b\n1,2\n3,4\n", columns: [["a", "1", "3"], ["b", "2", "4"]]),
        Sample(about: "CR LF", text: "a,b\r\n1,2\r\n", columns: [["a", "1"], ["b", "2"]]),
        Sample(about: "lone CR", text: "a,b\r1,2\r", columns: [["a", "1"], ["b", "2"]]),
        Sample(about: "no line end at the end", text: "a,b\n1,2", columns: [["a", "1"], ["b", "2"]]),
        Sample(about: "empty last field at the end", text: "a,b\n1,", columns: [["a", "1"], ["b", ""]]),
        Sample(about: "quoted empty last field at the end", text: "a,b\n1,\"\"", columns: [["a", "1"], ["b", ""]]),
        Sample(about: "empty fields only", text: "a,b\n,\n", columns: [["a", ""], ["b", ""]]),
        Sample(about: "quoted delimiter", text: "a,b\n\"1,5\",2\n", columns: [["a", "1,5"], ["b", "2"]]),
        Sample(about: "quoted line end", text: "a,b\n\"1\n5\",2\n", columns: [["a", "1\n5"], ["b", "2"]]),
        Sample(about: "quoted CR LF", text: "a,b\r\n\"1\r\n5\",2\r\n", columns: [["a", "1\r\n5"], ["b", "2"]]),
        Sample(about: "doubled quotes", text: "a\n\"say \"\"hi\"\"\"\n", columns: [["a", "say \"hi\""]]),
        Sample(about: "a quote alone", text: "a\n\"\"\"\"\n", columns: [["a", "\""]]),
        Sample(
            about: "quotes inside a bare field", text: "a,b\n5\" disk,x\"\"y\n",
            columns: [["a", "5\" disk"], ["b", "x\"\"y"]]),
        Sample(about: "spaces at the edges", text: "a,b\n  x , y\n", columns: [["a", "  x "], ["b", " y"]]),
        Sample(about: "byte order mark", text: "\u{FEFF}a,b\n1,2\n", columns: [["a", "1"], ["b", "2"]]),
        Sample(
            about: "blank lines among columns", text: "\na,b\n\n1,2\n\n\n3,4\n\n",
            columns: [["a", "1", "3"], ["b", "2", "4"]]),
        Sample(about: "blank lines in one column", text: "a\n1\n\n2\n\n\n", columns: [["a", "1", "", "2"]]),
        Sample(about: "header only", text: "a,b\n", columns: [["a"], ["b"]]),
        Sample(
            about: "combining mark after a delimiter", text: "a,b\n1,\u{301}x\n",
            columns: [["a", "1"], ["b", "\u{301}x"]]),
        Sample(
            about: "joiner after a quote", text: "a,b\n\"\u{200D}x\",2\n",
            columns: [["a", "\u{200D}x"], ["b", "2"]]),
        Sample(about: "skin tone after a quote inside quotes", text: "a\n\"\"\"🏽\"\n", columns: [["a", "\"🏽"]]),
        Sample(
            about: "Unicode line and paragraph separators", text: "a,b\nx\u{2028}y,\u{2029}\u{85}\u{B}\u{C}\n",
            columns: [["a", "x\u{2028}y"], ["b", "\u{2029}\u{85}\u{B}\u{C}"]]),
        Sample(about: "letters used for masking", text: "a\nĀĂĢƀǿ\n", columns: [["a", "ĀĂĢƀǿ"]]),
        Sample(about: "scripts", text: "a,名\nनमस्ते,東京\n", columns: [["a", "नमस्ते"], ["名", "東京"]]),
        Sample(
            about: "tab-separated", text: "a\tb\n1,5\t\"x\ty\"\n",
            columns: [["a", "1,5"], ["b", "x\ty"]], format: .tsv),
        Sample(about: "tab in a CSV field", text: "a,b\n\tx,y\t\n", columns: [["a", "\tx"], ["b", "y\t"]]),
    ]

    @Test("A text gives its columns", arguments: samples)
    func columns(sample: Sample) throws {
        let table = try Table.read(data: Data(sample.text.utf8), format: sample.format, name: "sample")
        #expect(table.columns == sample.columns.map { $0[0] })
        #expect(table.rows == sample.columns[0].count - 1)
        for expected in sample.columns {
            let values = try table.column(expected[0])
            // Compared as bytes: Swift's == equates canonically equivalent strings.
            #expect(values.map { Array($0.utf8) } == expected.dropFirst().map { Array($0.utf8) })
        }
    }

    /// A text that cannot be read, where, and a part of the message.
    static let faults: [(text: String, code: TableError.Code, row: Int?, line: Int?, message: String)] = [
        ("", .empty, nil, nil, "must name the columns"),
        ("\n\r\n", .empty, nil, nil, "must name the columns"),
        ("a,b\n1,2\n3\n", .malformed, 2, 3, "1 field, but the header names 2"),
        ("a,b\n\"x\ny\",2\n3,4,5\n", .malformed, 2, 4, "3 fields"),
        ("a,b\n1\t2\n", .malformed, 1, 2, "1 field,"),
        ("a,a\n1,2\n", .malformed, 0, 1, "two columns are called 'a'"),
        ("a,\n1,2\n", .malformed, 0, 1, "column 2 has no name"),
        ("a, \n1,2\n", .malformed, 0, 1, "column 2 has no name"),
        ("a,b\n1,2\n\"x\n\ny,2\n", .malformed, 2, 3, "a quote opened in line 3 is not closed"),
        ("a,b\n\"x\"y,2\n", .malformed, 1, 2, "text follows a closing quote"),
        ("a\n\n\"x\" \n", .malformed, 2, 3, "text follows a closing quote"),
    ]

    @Test("A text that is not a table is refused, with row and line", arguments: faults)
    func refused(text: String, code: TableError.Code, row: Int?, line: Int?, message: String) throws {
        let error = try #require(throws: TableError.self) {
            try Table.read(data: Data(text.utf8), format: .csv, name: "sample.csv")
        }
        #expect(error.code == code)
        #expect(error.row == row)
        #expect(error.line == line)
        #expect(error.message.contains(message), "\(error)")
        #expect(error.source == "sample.csv")
    }

    @Test("The first byte that is not UTF-8 is refused, with the row it lies in")
    func invalidUTF8() throws {
        var data = Data("a,b\n\"x\ny\",2\n3,".utf8)
        data.append(contentsOf: [0xE9, 0x0A])
        let error = try #require(throws: TableError.self) { try Table.read(data: data, format: .csv, name: "sample") }
        #expect(error.code == .notUTF8)
        #expect(error.row == 2)
        #expect(error.line == 4)
        #expect(error.message.contains("0xE9"), "\(error)")
    }
}
