/// Movement over JSON text that is known to be well formed.
enum JSONScanner {
    static func skipSpace(_ bytes: [UInt8], from start: Int) -> Int {
        var at = start
        while bytes[at] == 0x20 || bytes[at] == 0x0A || bytes[at] == 0x0D || bytes[at] == 0x09 { at += 1 }
        return at
    }

    /// The index after the string that opens at `start`.
    static func skipString(_ bytes: [UInt8], from start: Int) -> Int {
        var at = start + 1
        while bytes[at] != UInt8(ascii: "\"") {
            at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        return at + 1
    }

    /// The index after the value that starts at `start`.
    static func skipValue(_ bytes: [UInt8], from start: Int) -> Int {
        var at = start
        var depth = 0
        repeat {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at = skipString(bytes, from: at)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                at += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09:
                at += 1
            default:
                at = skipLiteral(bytes, from: at)
            }
        } while depth > 0
        return at
    }

    /// The index after the number, `true`, `false` or `null` that starts at `start`.
    static func skipLiteral(_ bytes: [UInt8], from start: Int) -> Int {
        var at = start
        while true {
            switch bytes[at] {
            case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x0A, 0x0D, 0x09, 0: return at
            default: at += 1
            }
        }
    }

    /// The UTF-8 of the string whose quotes are at `range.lowerBound` and before `range.upperBound`, escapes resolved.
    static func unescaped(_ bytes: [UInt8], _ range: Range<Int>) -> ArraySlice<UInt8> {
        let raw = bytes[(range.lowerBound + 1)..<(range.upperBound - 1)]
        guard raw.contains(UInt8(ascii: "\\")) else { return raw }
        var result: [UInt8] = []
        result.reserveCapacity(raw.count)
        var at = raw.startIndex
        while at < raw.endIndex {
            guard raw[at] == UInt8(ascii: "\\") else {
                result.append(raw[at])
                at += 1
                continue
            }
            at += 2
            switch raw[at - 1] {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                var value = hexadecimal(raw, at: at)
                at += 4
                if value & 0xFC00 == 0xD800 {
                    value = 0x10000 + (value & 0x3FF) << 10 + hexadecimal(raw, at: at + 2) & 0x3FF
                    at += 6
                }
                UTF8Text.append(value, to: &result)
            default: result.append(raw[at - 1])
            }
        }
        return result[...]
    }

    static func hexadecimal(_ bytes: ArraySlice<UInt8>, at start: Int) -> UInt32 {
        bytes[start..<(start + 4)].reduce(0) { $0 << 4 | UInt32(hexadecimalDigit($1) ?? 0) }
    }

    static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
