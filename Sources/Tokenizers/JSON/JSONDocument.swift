import Foundation

/// A JSON text whose grammar, UTF-8 and nesting depth were checked once, from end to end.
///
/// A vocabulary is one object with 30,000 to 250,000 members. Decoding it through `Codable` builds every key as a
/// `String` in a dictionary first, and silently keeps one of two equal keys; here members are visited in place, in
/// order, duplicates included.
final class JSONDocument: Sendable {
    /// The text, followed by one zero byte so that looking at the next byte never leaves the array.
    let bytes: [UInt8]

    /// Deepest nesting accepted. A tokenizer.json has about six levels.
    static let depthLimit = 64

    /// Throws: `.malformed` with the line and column of the first fault.
    init(_ data: Data) throws(TokenizerError) {
        var bytes = [UInt8](data)
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw TokenizerError(
                .malformed, "not UTF-8: byte \(error.byteOffsets.lowerBound) cannot be decoded; fetch the file again")
        }
        bytes.append(0)
        var checker = JSONChecker(bytes: bytes)
        do {
            try checker.document()
        } catch {
            let lines = bytes[..<error.offset].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let column = (lines.last?.count ?? 0) + 1
            throw TokenizerError(
                .malformed,
                "not valid JSON at line \(max(1, lines.count)), byte \(column): \(error.reason); fetch the file again")
        }
        self.bytes = bytes
    }

    var root: JSONNode { JSONNode(document: self, start: JSONScanner.skipSpace(bytes, from: 0)) }
}
