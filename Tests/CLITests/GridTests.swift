import Testing

@testable import hidra

@Suite("Tables in a terminal")
struct GridTests {
    @Test("Columns take the width of their widest cell, numbers stand flush right")
    func alignment() {
        var grid = Grid([.init("NAME"), .init("ROWS", right: true), .init("STATE")])
        grid.add("bank", "10,003", "finished")
        grid.add("urgency", "7", "failed")
        #expect(
            grid.render() == """
                NAME       ROWS  STATE
                bank     10,003  finished
                urgency       7  failed

                """)
    }

    @Test("A line is never wider than the terminal while a flexible column can give way", arguments: 32...70)
    func fits(width: Int) {
        var grid = Grid([.init("TEXT", flexible: true), .init("LABEL"), .init("OTHER", flexible: true)])
        grid.add(String(repeating: "word ", count: 20), "card_arrival", "something long enough to be cut")
        let lines = grid.render(width: width).split(separator: "\n")
        #expect(lines.count == 2)
        for line in lines { #expect(DisplayWidth.of(line) <= width) }
    }

    @Test("Line breaks inside a cell do not break the table")
    func lineBreaks() {
        var grid = Grid([.init("TEXT"), .init("N")])
        grid.add("one\ntwo\r\nthree\tfour", "1")
        #expect(grid.render(header: false) == "one two three four  1\n")
    }

    @Test("Columns do not get narrower than in the part printed before")
    func continued() {
        var grid = Grid([.init("A"), .init("B")])
        grid.atLeast = [6, 1]
        grid.add("x", "y")
        #expect(grid.render(header: false) == "x       y\n")
    }

    @Test(
        "Characters take the columns a terminal gives them",
        arguments: [
            ("abc", 3), ("naïve", 5), ("e\u{301}", 1), ("日本", 4), ("한글", 4), ("👍", 2), ("👩‍👩‍👧", 2), ("", 0),
            ("\u{200B}", 0),
        ])
    func widths(text: String, expected: Int) {
        #expect(DisplayWidth.of(text) == expected)
    }

    @Test(
        "What is cut ends in an ellipsis and fits",
        arguments: [
            ("hello", 5, "hello"), ("hello", 4, "hel…"), ("日本語", 4, "日…"), ("日本語", 5, "日本…"), ("abc", 0, ""),
            ("abc", 1, "…"),
        ])
    func fit(text: String, width: Int, expected: String) {
        #expect(DisplayWidth.fit(text, width) == expected)
    }

    @Test("Facts without a value are left out")
    func facts() {
        var facts = Facts()
        facts.add("head", "bank")
        facts.add("message", "")
        facts.add("macro-F1", "0.9")
        #expect(facts.render() == "head      bank\nmacro-F1  0.9\n")
    }

    @Test("Colours appear only where they are wanted")
    func colour() {
        let colourful = Style(colour: true, unicode: true)
        #expect(colourful.red("x") == "\u{1B}[31mx\u{1B}[0m")
        #expect(Style.plain.red("x") == "x")
        #expect(colourful.red("") == "")
    }

    @Test(
        "A terminal says what it can show",
        arguments: [
            (["TERM": "xterm", "LANG": "en_GB.UTF-8"], true, true, true, true),
            (["TERM": "xterm", "LANG": "C"], true, true, true, false),
            (["TERM": "xterm", "LC_ALL": "C.utf8", "LANG": "C"], true, true, true, true),
            (["TERM": "xterm", "NO_COLOR": "1", "LANG": "C.UTF-8"], true, false, true, true),
            (["TERM": "xterm", "NO_COLOR": "", "LANG": "C.UTF-8"], true, true, true, true),
            (["TERM": "dumb", "LANG": "C.UTF-8"], true, false, false, true),
            ([:], true, false, false, false),
            (["TERM": "xterm", "LANG": "C.UTF-8"], false, false, false, true),
        ])
    func terminal(values: [String: String], interactive: Bool, colour: Bool, redraw: Bool, unicode: Bool) {
        let terminal = Terminal(
            descriptor: 1, isInteractive: interactive, environment: Environment(values: values))
        #expect(terminal.style == Style(colour: colour, unicode: unicode))
        #expect(terminal.canRedraw == redraw)
        #expect((terminal.width == nil) == !interactive)
    }

    @Test("A sparkline spans its values from lowest to highest")
    func sparkline() {
        #expect(Style.plain.sparkline([3, 2, 1, 0]) == "█▆▃▁")
        #expect(Style.plain.sparkline([1]) == "")
        #expect(Style.plain.sparkline([2, 2]) == "▁▁")
        #expect(Style.plain.sparkline((0..<100).map(Double.init), width: 10).count == 10)
        #expect(Style(colour: false, unicode: false).sparkline([1, 2]) == "")
    }
}
