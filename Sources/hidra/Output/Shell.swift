/// Words as a POSIX shell wants them, for commands the user may copy.
enum Shell {
    /// `text` as one word that means exactly itself: in double quotes where nothing in it is special there.
    static func quote(_ text: String) -> String {
        guard text.contains(where: { "\"\\$`!".contains($0) }) else { return "\"\(text)\"" }
        return "'" + text.replacing("'", with: "'\\''") + "'"
    }

    static func quoteIfNeeded(_ text: String) -> String {
        let safe = "._-/:@+,"
        let plain = !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || safe.contains($0)) }
        return plain ? text : quote(text)
    }
}
