/// A table for people: a header line, aligned columns two spaces apart, no lines drawn.
struct Grid {
    struct Column {
        var title: String
        /// Numbers stand flush right.
        var right = false
        /// Gives way when the terminal is too narrow; other columns keep their width.
        var flexible = false

        init(_ title: String, right: Bool = false, flexible: Bool = false) {
            self.title = title
            self.right = right
            self.flexible = flexible
        }
    }

    var columns: [Column]
    var rows: [[String]] = []
    /// Widths of an earlier part of the same table: columns never get narrower than they were there.
    var atLeast: [Int] = []
    private static let gap = 2
    private static let narrowest = 8

    init(_ columns: [Column], rows: [[String]] = []) {
        self.columns = columns
        self.rows = rows
    }

    mutating func add(_ cells: String...) { rows.append(cells) }

    /// Width of each column so that a line fits into `width`, as far as flexible columns can give way; nil: no limit.
    func widths(within width: Int?) -> [Int] {
        var widths = columns.indices.map { index in
            let cells = rows.map { index < $0.count ? DisplayWidth.of(DisplayWidth.oneLine($0[index])) : 0 }
            return max(
                DisplayWidth.of(columns[index].title), cells.max() ?? 0, index < atLeast.count ? atLeast[index] : 0)
        }
        guard let width else { return widths }
        var excess = widths.reduce(0, +) + Grid.gap * max(0, columns.count - 1) - width
        while excess > 0 {
            let candidates = columns.indices.filter { columns[$0].flexible && widths[$0] > Grid.narrowest }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
            let second = candidates.filter { $0 != widest }.map { widths[$0] }.max() ?? Grid.narrowest
            let cut = min(excess, max(1, widths[widest] - max(second, Grid.narrowest)))
            widths[widest] -= cut
            excess -= cut
        }
        return widths
    }

    /// The table's lines, each ended by a line break. `style` colours the header.
    func render(width: Int? = nil, style: Style = .plain, header: Bool = true) -> String {
        let widths = widths(within: width)
        var text = ""
        if header {
            text += style.dim(line(columns.map(\.title), widths)) + "\n"
        }
        for row in rows {
            text += line(row, widths) + "\n"
        }
        return text
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, column) in columns.enumerated() {
            let cell = DisplayWidth.fit(index < cells.count ? cells[index] : "", widths[index])
            let last = index == columns.count - 1
            line += last && !column.right ? cell : DisplayWidth.pad(cell, widths[index], right: column.right)
            if !last { line += String(repeating: " ", count: Grid.gap) }
        }
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }
}

/// Name–value lines, the values aligned: what `show` and `status` print.
struct Facts {
    private var lines: [(name: String, value: String)] = []

    mutating func add(_ name: String, _ value: String) {
        if !value.isEmpty { lines.append((name, value)) }
    }

    func render(indent: Int = 0, style: Style = .plain) -> String {
        let width = lines.map { DisplayWidth.of($0.name) }.max() ?? 0
        let margin = String(repeating: " ", count: indent)
        return lines.map { "\(margin)\(style.dim(DisplayWidth.pad($0.name, width)))  \($0.value)\n" }.joined()
    }
}
