/// Colours and symbols a terminal may show; `plain` adds nothing.
struct Style: Sendable, Equatable {
    var colour: Bool
    /// Box-drawing and check marks; otherwise ASCII.
    var unicode: Bool

    static let plain = Style(colour: false, unicode: true)

    func dim(_ text: String) -> String { paint(text, "2") }
    func bold(_ text: String) -> String { paint(text, "1") }
    func red(_ text: String) -> String { paint(text, "31") }
    func green(_ text: String) -> String { paint(text, "32") }
    func yellow(_ text: String) -> String { paint(text, "33") }
    func cyan(_ text: String) -> String { paint(text, "36") }

    var check: String { unicode ? "✓" : "*" }

    /// The filled and the empty part of a progress bar of `width` columns at `fraction` (0…1).
    func bar(_ fraction: Double, width: Int) -> String {
        let share = fraction.isFinite ? min(max(fraction, 0), 1) : 0
        let full = Int((share * Double(width)).rounded(.down))
        let empty = width - full
        return unicode
            ? cyan(String(repeating: "━", count: full)) + dim(String(repeating: "─", count: empty))
            : cyan(String(repeating: "#", count: full)) + dim(String(repeating: "-", count: empty))
    }

    /// The course of `values` in `width` columns, highest value at the top: "█▆▄▃▂▁▁".
    func sparkline(_ values: [Double], width: Int = 40) -> String {
        let finite = values.filter(\.isFinite)
        guard unicode, finite.count > 1, width > 0, let low = finite.min(), let high = finite.max() else { return "" }
        let blocks: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
        let columns = min(width, finite.count)
        return String(
            (0..<columns).map { column in
                let value = finite[column * (finite.count - 1) / max(1, columns - 1)]
                let level = high > low ? (value - low) / (high - low) : 0
                return blocks[Int((level * Double(blocks.count - 1)).rounded())]
            })
    }

    private func paint(_ text: String, _ code: String) -> String {
        colour && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
