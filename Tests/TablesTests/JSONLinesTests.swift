import Foundation
import Tables
import Testing

@Suite("JSON lines become columns of text")
struct JSONLinesTests {
    private static func read(_ text: String) throws -> Table {
        try Table.read(data: Data(text.utf8), format: .jsonl, name: "sample.jsonl")
    }

    /// A JSON value and the text it becomes.
    static let values: [(json: String, text: String)] = [
        (#""plain""#, "plain"),
        (#""""#, ""),
        (#""a\"b\\c\/d\n\t\r\b\f""#, "a\"b\\c/d\n\t\r\u{8}\u{C}"),
        (#""\u00e9\u0301\ud83d\ude00x""#, "é\u{301}😀x"),
        (#""東京 é""#, "東京 é"),
        ("1", "1"), ("-0", "-0"), ("1.50", "1.50"), ("1e3", "1e3"), ("-12.5E-07", "-12.5E-07"),
        ("12345678901234567890", "12345678901234567890"),
        ("true", "true"), ("false", "false"),
        (#"["a", "b c"]"#, "a|b c"), ("[]", ""), ("[1, 2.0, true]", "1|2.0|true"), (#"["only"]"#, "only"),
    ]

    @Test("A value becomes text", arguments: values)
    func becomesText(json: String, text: String) throws {
        let column = try Self.read(" {\"v\" : \(json) } \r\n").column("v")
        #expect(column.map { Array($0.utf8) } == [Array(text.utf8)])
    }

    @Test("Columns keep the order of first appearance, and blank lines count for nothing")
    func order() throws {
        let table = try Self.read("\u{FEFF}{\"b\":1,\"a\":2}\n\n{\"a\":3,\"b\":4}\n  \n{\"b\":5,\"a\":6}")
        #expect(table.columns == ["b", "a"])
        #expect(table.rows == 3)
        #expect(try table.column("a") == ["2", "3", "6"])
    }

    /// Lines of which the second spoils the column `v`.
    static let spoilt: [(line: String, message: String)] = [
        (#"{"w":1}"#, "has no 'v'"), (#"{"v":null,"w":1}"#, "'v' is null"),
        (#"{"v":{"x":[1,{}]},"w":1}"#, "'v' is an object"), (#"{"v":[[1]],"w":1}"#, "an array in an array"),
        (#"{"v":[null],"w":1}"#, "holds a value that is null"), (#"{"v":["a|b"],"w":1}"#, "'|' inside a label"),
    ]

    @Test("A row without text for a column is named when the column is asked for", arguments: spoilt)
    func spoiltColumn(line: String, message: String) throws {
        let table = try Self.read("{\"v\":1,\"w\":1}\n\n\(line)\n{\"v\":2,\"w\":1}")
        #expect(try table.column("w") == ["1", "1", "1"])
        let error = try #require(throws: TableError.self) { try table.column("v") }
        #expect(error.code == .missingValue)
        #expect(error.row == 2)
        #expect(error.line == 3)
        #expect(error.message.contains(message), "\(error)")
    }

    @Test("A key that comes later names the first row, which lacks it")
    func lateKey() throws {
        let table = try Self.read("\n{\"v\":1}\n{\"v\":2,\"late\":3}")
        let error = try #require(throws: TableError.self) { try table.column("late") }
        #expect(error.row == 1)
        #expect(error.line == 2)
    }

    /// Lines that are no JSON object.
    static let broken = [
        "[1]", "{", "{\"v\":}", "{\"v\":1,}", "{\"v\" 1}", "{\"v\":1} x", "{v:1}", "{\"v\":01}", "{\"v\":1.}",
        "{\"v\":-}",
        "{\"v\":tru}", "{\"v\":\"x}", "{\"v\":\"\\x\"}", "{\"v\":\"\\ud800\"}", "{\"v\":\"\\udc00\"}",
        "{\"v\":\"\\u12\"}",
        "{\"v\":\"\t\"}", "{\"v\":1,\"v\":2}", "{\"\":1}", "{\"v\":[1}", "{\"v\":\(String(repeating: "[", count: 100))",
    ]

    @Test("A line that is no JSON object is refused, with row and line", arguments: broken)
    func refused(line: String) throws {
        let error = try #require(throws: TableError.self) { try Self.read("{\"v\":1}\n\n\(line)\n") }
        #expect(error.code == .malformed)
        #expect(error.row == 2)
        #expect(error.line == 3)
    }

    @Test("An empty text is refused", arguments: ["", "\n \n"])
    func empty(text: String) throws {
        let error = try #require(throws: TableError.self) { try Self.read(text) }
        #expect(error.code == .empty)
    }

    @Test("The first byte that is not UTF-8 is refused, with its row and line")
    func invalidUTF8() throws {
        let data = Data("{\"v\":1}\n\n{\"v\":\"".utf8) + [0xFF] + Data("\"}\n".utf8)
        let error = try #require(throws: TableError.self) { try Table.read(data: data, format: .jsonl, name: "sample") }
        #expect(error.code == .notUTF8)
        #expect(error.row == 2)
        #expect(error.line == 3)
    }

    @Test("Keys made from data do not take memory without bound")
    func manyKeys() throws {
        let text = (0..<5000).map { "{\"k\($0)\":1}" }.joined(separator: "\n")
        let error = try #require(throws: TableError.self) { try Self.read(text) }
        #expect(error.message.contains("4096"))
    }
}
