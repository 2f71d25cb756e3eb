import Foundation
import Testing

@testable import Hub

@Suite("Head of a response")
struct HTTPHeadParserTests {
    /// Feeds `text` in pieces of `step` bytes; returns what came out as the body.
    private func parse(_ text: String, step: Int = 1) throws -> (head: HTTPHead?, body: String) {
        var parser = HTTPHeadParser()
        var body: [UInt8] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: step) {
            let piece = bytes[start..<min(start + step, bytes.count)]
            if parser.head != nil {
                body += piece
            } else if let rest = try piece.withUnsafeBytes({ try parser.feed($0) }) {
                body += rest
            }
        }
        return (parser.head, String(decoding: body, as: UTF8.self))
    }

    @Test("Head and body are told apart, however the bytes arrive", arguments: [1, 2, 7, 1_000])
    func separates(step: Int) throws {
        let text = "HTTP/1.1 302 Found\r\nLocation: http://a/b?c:d\r\nX-Linked-ETag:\t\"e\" \r\n\r\nbody\r\n\r\nmore"
        let (head, body) = try parse(text, step: step)
        #expect(head == HTTPHead(status: 302, headers: ["location": "http://a/b?c:d", "x-linked-etag": "\"e\""]))
        #expect(body == "body\r\n\r\nmore")
    }

    @Test(
        "Interim responses are skipped, and so are other line ends and lines that are no header",
        arguments: [
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\n", "HTTP/2 200 \r\na: b\r\n\r\n",
            "HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200\r\nno header\r\nA: c\r\na: b\r\n\r\n",
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\na:b\r\n\r\n",
        ])
    func accepts(text: String) throws {
        #expect(try parse(text).head == HTTPHead(status: 200, headers: ["a": "b"]))
    }

    @Test(
        "What has no status is refused",
        arguments: [
            "\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 -200 OK\r\n\r\n", "GET / 200\r\n\r\n",
        ])
    func refuses(text: String) {
        #expect(throws: HTTPHeadParser.Failure.noStatus) { try parse(text) }
    }

    @Test("A head that is cut off is none, and one without end is refused")
    func bounds() throws {
        #expect(try parse("HTTP/1.1 200 OK\r\nA: b").head == nil)
        #expect(throws: HTTPHeadParser.Failure.tooLong) {
            try parse("HTTP/1.1 200 OK\r\nA: " + String(repeating: "b", count: 300_000), step: 10_000)
        }
    }
}
