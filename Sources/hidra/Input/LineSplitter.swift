import HidraClient
import HidraProtocol

/// Cuts bytes into lines at "\n" or "\r\n", whatever pieces they come in. A byte-order mark at the start is dropped.
struct LineSplitter {
    let name: String
    /// Lines of the current piece that were complete before one failed.
    private(set) var pending: [String] = []
    private var rest: [UInt8] = []
    private var number = 0

    init(name: String) {
        self.name = name
    }

    mutating func take(_ bytes: some Sequence<UInt8>) throws -> [String] {
        pending = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                try complete()
            } else {
                rest.append(byte)
            }
        }
        defer { pending = [] }
        return pending
    }

    /// The last line, when the input did not end with a line break.
    mutating func finish() throws -> [String] {
        pending = []
        if !rest.isEmpty { try complete() }
        defer { pending = [] }
        return pending
    }

    private mutating func complete() throws {
        number += 1
        if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
        if number == 1, rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest.removeFirst(3) }
        guard let line = String(validating: rest, as: UTF8.self) else {
            throw HidraError(
                .invalidData,
                "Line \(number) of \(name) is not valid UTF-8. Convert the text, e.g. with `iconv -t UTF-8`.",
                details: ["row": String(number)])
        }
        rest.removeAll(keepingCapacity: true)
        pending.append(line)
    }
}
