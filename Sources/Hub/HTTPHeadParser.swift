/// Cuts a response into head and body: what `curl --include` prints.
///
/// Interim responses (1xx) are skipped. Lines that are no header are skipped too: curl has let them pass, and what
/// matters is looked up by name.
struct HTTPHeadParser {
    enum Failure: Error {
        case tooLong, noStatus
    }

    private static let longest = 256 << 10
    private var buffer: [UInt8] = []
    private(set) var head: HTTPHead?

    /// Takes the next bytes; once the head is complete, returns those that belong to the body.
    mutating func feed(_ bytes: UnsafeRawBufferPointer) throws -> ArraySlice<UInt8>? {
        buffer += bytes
        while let end = blockEnd() {
            let parsed = try Self.parse(buffer[..<end])
            buffer.removeFirst(end)
            guard (100..<200).contains(parsed.status) else {
                head = parsed
                return buffer[...]
            }
        }
        guard buffer.count <= Self.longest else { throw Failure.tooLong }
        return nil
    }

    /// Index behind the empty line that ends the first block of lines.
    private func blockEnd() -> Int? {
        var lineStart = 0
        for (index, byte) in buffer.enumerated() where byte == UInt8(ascii: "\n") {
            let line = buffer[lineStart..<index]
            if line.isEmpty || line.elementsEqual([UInt8(ascii: "\r")]) { return index + 1 }
            lineStart = index + 1
        }
        return nil
    }

    private static func parse(_ block: ArraySlice<UInt8>) throws -> HTTPHead {
        let lines = String(decoding: block, as: UTF8.self).split(whereSeparator: \.isNewline)
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/"), let status = Int(words[1]), (100...999).contains(status)
        else { throw Failure.noStatus }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers[line[..<colon].lowercased()] = value.trimmingSuffix { $0 == " " || $0 == "\t" }
        }
        return HTTPHead(status: status, headers: headers)
    }
}

extension Substring {
    fileprivate func trimmingSuffix(_ isTrimmed: (Character) -> Bool) -> String {
        var rest = self
        while let last = rest.last, isTrimmed(last) { rest.removeLast() }
        return String(rest)
    }
}
