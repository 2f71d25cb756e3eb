/// Columns a text takes in a terminal. An approximation of Unicode's UAX #11 that is exact for what tables show:
/// Latin, CJK, Hangul, kana and emoji; combining marks take none.
enum DisplayWidth {
    static func of(_ text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + of($1) }
    }

    static func of(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if first.isASCII { return first.value < 0x20 ? 0 : 1 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        let emoji = first.properties.isEmojiPresentation || character.unicodeScalars.contains { $0.value == 0xFE0F }
        return emoji || isWide(first.value) ? 2 : 1
    }

    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }

    /// `text` cut to at most `width` columns, the last of them "…" when something was cut. Line breaks become spaces.
    static func fit(_ text: String, _ width: Int) -> String {
        let line = text.contains(where: \.isNewline) || text.contains("\t") ? oneLine(text) : text
        guard of(line) > width else { return line }
        guard width > 0 else { return "" }
        var used = 0
        var kept = ""
        for character in line {
            let next = of(character)
            guard used + next <= width - 1 else { break }
            used += next
            kept.append(character)
        }
        return kept + "…"
    }

    static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 })
    }

    /// `text` filled with spaces up to `width` columns.
    static func pad(_ text: String, _ width: Int, right: Bool = false) -> String {
        let gap = String(repeating: " ", count: max(0, width - of(text)))
        return right ? gap + text : text + gap
    }
}
