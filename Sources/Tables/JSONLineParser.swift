/// Parses a JSON object (RFC 8259) whose values become text: strings as they are, numbers as they are spelt, `true` and
/// `false`; arrays of these are joined with `|`, as multi-label columns write them.
struct JSONLineParser {
    struct Fault: Error {
        /// Byte of the line, from 1.
        var column: Int
        var reason: String
    }

    struct Field {
        var key: String
        var value: Value
    }

    enum Value {
        case text(String)
        /// Valid JSON that is no text; why.
        case unusable(String)
    }

    static let labelSeparator = "|"
    private static let depthLimit = 64

    private let bytes: [UInt8]
    private let line: Range<Int>
    private var at: Int

    init(_ bytes: [UInt8], _ line: Range<Int>) {
        self.bytes = bytes
        self.line = line
        at = line.lowerBound
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
    }

    /// The members of the object that the line is.
    mutating func object() throws(Fault) -> [Field] {
        var fields: [Field] = []
        skipSpace()
        try expect("{")
        skipSpace()
        if !take("}") {
            repeat {
                skipSpace()
                let key = try string()
                skipSpace()
                try expect(":")
                skipSpace()
                fields.append(Field(key: key, value: try value(depth: 1)))
                skipSpace()
            } while take(",")
            try expect("}")
        }
        skipSpace()
        guard at == line.upperBound else { throw fault("text after the object") }
        return fields
    }

    private mutating func value(depth: Int) throws(Fault) -> Value {
        guard depth < Self.depthLimit else { throw fault("nested more than \(Self.depthLimit) deep") }
        switch peek {
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "{"):
            try skipObject(depth: depth)
            return .unusable("is an object")
        case UInt8(ascii: "t"): return .text(try word("true"))
        case UInt8(ascii: "f"): return .text(try word("false"))
        case UInt8(ascii: "n"):
            _ = try word("null")
            return .unusable("is null")
        default: return .text(try number())
        }
    }

    private mutating func array(depth: Int) throws(Fault) -> Value {
        at += 1
        skipSpace()
        if take("]") { return .text("") }
        var labels: [String] = []
        var obstacle: String?
        repeat {
            skipSpace()
            let isArray = peek == UInt8(ascii: "[")
            switch try value(depth: depth + 1) {
            case .text(let label) where isArray || label.contains(Self.labelSeparator):
                obstacle = obstacle ?? (isArray ? "holds an array in an array" : "has '|' inside a label")
            case .text(let label): labels.append(label)
            case .unusable(let reason): obstacle = obstacle ?? "holds a value that \(reason)"
            }
            skipSpace()
        } while take(",")
        try expect("]")
        return obstacle.map(Value.unusable) ?? .text(labels.joined(separator: Self.labelSeparator))
    }

    private mutating func skipObject(depth: Int) throws(Fault) {
        at += 1
        skipSpace()
        if take("}") { return }
        repeat {
            skipSpace()
            _ = try string()
            skipSpace()
            try expect(":")
            skipSpace()
            _ = try value(depth: depth + 1)
            skipSpace()
        } while take(",")
        try expect("}")
    }

    private mutating func string() throws(Fault) -> String {
        try expect("\"")
        let start = at
        while at < line.upperBound, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\"), bytes[at] >= 0x20
        {
            at += 1
        }
        if take("\"") { return String(decoding: bytes[start..<(at - 1)], as: UTF8.self) }
        var text = String(decoding: bytes[start..<at], as: UTF8.self)
        while !take("\"") {
            guard at < line.upperBound else { throw fault("a string is not closed") }
            if take("\\") {
                text.unicodeScalars.append(try escape())
            } else {
                guard bytes[at] >= 0x20 else { throw fault("a control character inside a string") }
                let plain = at
                while at < line.upperBound, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\"),
                    bytes[at] >= 0x20
                { at += 1 }
                text += String(decoding: bytes[plain..<at], as: UTF8.self)
            }
        }
        return text
    }

    private mutating func escape() throws(Fault) -> Unicode.Scalar {
        let kind = peek
        at += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(kind)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try codeUnit()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            if unit < 0xDC00, take("\\"), take("u") {
                let low = try codeUnit()
                let value = 0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF
                if 0xDC00...0xDFFF ~= low, let scalar = Unicode.Scalar(value) { return scalar }
            }
            throw fault("half of a surrogate pair")
        default: throw fault("an unknown escape")
        }
    }

    /// The four hexadecimal digits of `\uXXXX`.
    private mutating func codeUnit() throws(Fault) -> UInt32 {
        let digits = bytes[at..<min(at + 4, line.upperBound)]
        guard digits.count == 4, digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw fault("four hexadecimal digits are expected") }
        at += 4
        return unit
    }

    private mutating func number() throws(Fault) -> String {
        let start = at
        _ = take("-")
        guard digit else { throw fault("a value is expected") }
        if !take("0") { skipDigits() }
        if take(".") {
            guard digit else { throw fault("a digit is expected") }
            skipDigits()
        }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            guard digit else { throw fault("a digit is expected") }
            skipDigits()
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func word(_ word: String) throws(Fault) -> String {
        guard bytes[at..<line.upperBound].starts(with: word.utf8) else { throw fault("a value is expected") }
        at += word.utf8.count
        return word
    }

    private var peek: UInt8 { at < line.upperBound ? bytes[at] : 0 }

    private var digit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= peek }

    private mutating func skipDigits() {
        while digit { at += 1 }
    }

    private mutating func skipSpace() {
        while at < line.upperBound, Self.isSpace(bytes[at]) { at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < line.upperBound, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
        guard take(character) else { throw fault("'\(character)' is expected") }
    }

    private func fault(_ reason: String) -> Fault {
        Fault(column: at - line.lowerBound + 1, reason: reason)
    }
}
