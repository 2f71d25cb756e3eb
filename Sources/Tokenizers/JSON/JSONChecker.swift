/// Checks that a text is one JSON value (RFC 8259) and nothing else.
struct JSONChecker {
    struct Fault: Error {
        var offset: Int
        var reason: String
    }

    /// The text and one closing zero byte.
    private let bytes: [UInt8]
    private var at = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws(Fault) {
        skipSpace()
        try value(depth: 0)
        skipSpace()
        guard at == bytes.count - 1 else { throw fault("text after the end of the value") }
    }

    private mutating func value(depth: Int) throws(Fault) {
        guard depth < JSONDocument.depthLimit else { throw fault("nested more than \(JSONDocument.depthLimit) deep") }
        switch bytes[at] {
        case UInt8(ascii: "{"): try object(depth: depth)
        case UInt8(ascii: "["): try array(depth: depth)
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        case 0 where at == bytes.count - 1: throw fault("the text ends where a value is expected")
        default: throw fault("a value is expected")
        }
    }

    private mutating func object(depth: Int) throws(Fault) {
        at += 1
        skipSpace()
        if take("}") { return }
        repeat {
            skipSpace()
            guard bytes[at] == UInt8(ascii: "\"") else { throw fault("a quoted key is expected") }
            try string()
            skipSpace()
            guard take(":") else { throw fault("':' is expected") }
            skipSpace()
            try value(depth: depth + 1)
            skipSpace()
        } while take(",")
        guard take("}") else { throw fault("',' or '}' is expected") }
    }

    private mutating func array(depth: Int) throws(Fault) {
        at += 1
        skipSpace()
        if take("]") { return }
        repeat {
            skipSpace()
            try value(depth: depth + 1)
            skipSpace()
        } while take(",")
        guard take("]") else { throw fault("',' or ']' is expected") }
    }

    private mutating func string() throws(Fault) {
        at += 1
        while true {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                return
            case UInt8(ascii: "\\"):
                at += 1
                try escape()
            case 0..<0x20:
                throw fault(at == bytes.count - 1 ? "a string is not closed" : "a control character inside a string")
            default:
                at += 1
            }
        }
    }

    private mutating func escape() throws(Fault) {
        switch bytes[at] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 1
        case UInt8(ascii: "u"):
            let value = try codeUnit()
            guard value & 0xFC00 != 0xDC00 else { throw fault("half of a surrogate pair") }
            if value & 0xFC00 == 0xD800 {
                guard take("\\"), bytes[at] == UInt8(ascii: "u"), try codeUnit() & 0xFC00 == 0xDC00 else {
                    throw fault("half of a surrogate pair")
                }
            }
        default: throw fault("an unknown escape")
        }
    }

    /// Reads `uXXXX`.
    private mutating func codeUnit() throws(Fault) -> UInt32 {
        at += 1
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = JSONScanner.hexadecimalDigit(bytes[at]) else {
                throw fault("four hexadecimal digits are expected")
            }
            value = value << 4 | UInt32(digit)
            at += 1
        }
        return value
    }

    private mutating func number() throws(Fault) {
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            try digits()
        }
    }

    private mutating func digits() throws(Fault) {
        let start = at
        while UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[at] { at += 1 }
        guard at > start else { throw fault("a digit is expected") }
    }

    private mutating func word(_ word: StaticString) throws(Fault) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard bytes[at] == word.utf8Start[offset] else { throw fault("a value is expected") }
            at += 1
        }
    }

    private mutating func skipSpace() {
        at = JSONScanner.skipSpace(bytes, from: at)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private func fault(_ reason: String) -> Fault {
        Fault(offset: at, reason: reason)
    }
}
