#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Numbers as people read them. Independent of the locale, so that tests and scripts see the same everywhere.
enum Format {
    /// `value` with exactly `decimals` digits after the point; "–" for what is not a number.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return "–" }
        var scale = 1.0
        for _ in 0..<max(0, decimals) { scale *= 10 }
        let scaled = (abs(value) * scale).rounded()
        guard scaled < 9e15 else { return "\(value)" }
        let sign = value < 0 && scaled > 0 ? "-" : ""
        let whole = UInt64(scaled)
        guard decimals > 0 else { return "\(sign)\(whole)" }
        let digits = String(whole)
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
    }

    /// 10003 → "10,003".
    static func count(_ value: UInt64) -> String {
        let digits = String(value)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// "1 row", "10,003 rows".
    static func count(_ value: UInt64, _ noun: String, plural: String? = nil) -> String {
        "\(count(value)) \(value == 1 ? noun : plural ?? noun + "s")"
    }

    /// Decimal units, as disks are sold: 90868400 → "90.9 MB".
    static func bytes(_ value: UInt64) -> String {
        scaled(Double(value), step: 1000, units: ["B", "kB", "MB", "GB", "TB"])
    }

    /// 22713216 → "22.7 M".
    static func parameters(_ value: UInt64) -> String {
        value < 10_000 ? count(value) : scaled(Double(value), step: 1000, units: ["", "k", "M", "G", "T"])
    }

    private static func scaled(_ value: Double, step: Double, units: [String]) -> String {
        var rest = value
        var unit = 0
        // 999.95 would round to "1000.0".
        while rest >= step * 0.99995, unit + 1 < units.count {
            rest /= step
            unit += 1
        }
        let number = unit == 0 ? fixed(rest, 0) : fixed(rest, 1)
        return units[unit].isEmpty ? number : "\(number) \(units[unit])"
    }

    /// How long something took: "8 ms", "0.84 s", "25.1 s", "3 min 12 s", "1 h 04 min".
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0 else { return "–" }
        if seconds < 0.0995 { return "\(fixed(seconds * 1000, 0)) ms" }
        if seconds < 9.95 { return "\(fixed(seconds, 2)) s" }
        if seconds < 59.95 { return "\(fixed(seconds, 1)) s" }
        let total = whole(seconds.rounded())
        if total < 3600 { return "\(total / 60) min \(total % 60) s" }
        return "\(total / 3600) h \(pad(total % 3600 / 60)) min"
    }

    /// Time left, coarse on purpose: "0:07", "12:40", "1:02:03".
    static func clock(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 360_000 else { return "–:––" }
        let total = whole(seconds.rounded(.up))
        let tail = "\(total % 3600 / 60):\(pad(total % 60))"
        return total < 3600 ? tail : "\(total / 3600):\(pad(total % 3600 / 60)):\(pad(total % 60))"
    }

    /// How long ago, in the largest unit that fits: "just now", "5 min ago", "3 days ago".
    static func age(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "–" }
        switch seconds {
        case ..<45: return "just now"
        case ..<3570: return "\(max(1, whole(seconds / 60))) min ago"
        case ..<86_000: return "\(max(1, whole(seconds / 3600))) h ago"
        default:
            let days = max(1, whole(seconds / 86_400))
            return days == 1 ? "1 day ago" : "\(days) days ago"
        }
    }

    /// Accuracies, F1 and errors: three to four significant digits.
    static func metric(_ value: Double) -> String {
        switch abs(value) {
        case ..<0.0005 where value != 0: scientific(value)
        case ..<10: fixed(value, 4)
        case ..<1000: fixed(value, 2)
        default: fixed(value, 0)
        }
    }

    /// Rates: "3,412", "41.3", "0.82".
    static func rate(_ value: Double) -> String {
        guard value.isFinite, value >= 0 else { return "–" }
        if value >= 99.95 { return count(UInt64(min(value.rounded(), 1e15))) }
        return value >= 9.95 ? fixed(value, 1) : fixed(value, 2)
    }

    /// 0.0005 → "5e-4", 0.00312 → "3.12e-3".
    static func scientific(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "–" }
        var exponent = 0
        var mantissa = abs(value)
        while mantissa >= 9.995 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
        while mantissa < 0.9995 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
        var digits = fixed(mantissa, 2)
        while digits.hasSuffix("0") || digits.hasSuffix(".") {
            let last = digits.removeLast()
            if last == "." { break }
        }
        return "\(value < 0 ? "-" : "")\(digits)e\(exponent)"
    }

    /// A date and time in UTC, to the second: "2025-03-01 12:00:00Z".
    static func date(_ secondsSince1970: Double) -> String {
        guard secondsSince1970.isFinite, abs(secondsSince1970) < 1e11 else { return "–" }
        let style = Date.ISO8601FormatStyle(dateTimeSeparator: .space)
        return Date(timeIntervalSince1970: secondsSince1970).formatted(style)
    }

    /// Seconds since 1970 → "12:00:00", UTC.
    static func time(_ secondsSince1970: Double) -> String {
        let text = date(secondsSince1970)
        return text.count < 19 ? text : String(text.dropFirst(11).prefix(8))
    }

    /// "a", "a and b", "a, b and c".
    static func list(_ items: [String]) -> String {
        guard items.count > 1, let last = items.last else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }

    private static func whole(_ seconds: Double) -> Int { Int(min(max(seconds, 0), 1e12)) }

    private static func pad(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
