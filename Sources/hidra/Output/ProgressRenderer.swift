import HidraProtocol

/// Turns a job's progress messages into terminal output. A value without clock, terminal or thread of its own: it is
/// told the time and the width and returns what to write, which makes every line testable.
struct ProgressRenderer {
    enum Mode: Sendable, Equatable {
        /// One line redrawn in place, and one line left behind for each finished phase.
        case bar(Style)
        /// A line when a phase begins and ends, and at most one every two seconds between.
        case lines
    }

    static let hideCursor = "\u{1B}[?25l"
    static let showCursor = "\u{1B}[?25h"
    private static let clearLine = "\r\u{1B}[2K"
    private static let redrawInterval = 0.08
    private static let lineInterval = 2.0

    let mode: Mode
    private var phase: Phase?
    private var lastOutput = -Double.infinity
    private var drawn = false
    private var cursorHidden = false

    init(mode: Mode) {
        self.mode = mode
    }

    /// What to write for `message` at `now` (seconds on any steady clock) in a terminal `width` columns wide.
    mutating func update(_ message: Hidra_V1_Progress, now: Double, width: Int) -> String {
        var text = ""
        if !message.note.isEmpty { text += note(message.note) }
        guard !message.phase.isEmpty else { return text }
        if phase?.name != message.phase {
            text += close(now: now)
            phase = Phase(message, now: now)
            return text + open(now: now, width: width)
        }
        phase?.advance(message, now: now)
        let finished = message.total > 0 && message.done >= message.total
        switch mode {
        case .bar(let style):
            if finished || now - lastOutput >= Self.redrawInterval || !drawn {
                text += draw(style, now: now, width: width)
            }
        case .lines:
            if let phase, now - lastOutput >= Self.lineInterval {
                text += phase.line(now: now) + "\n"
                lastOutput = now
            }
        }
        return text
    }

    /// What to write when the job is over: the last phase's closing line when it `succeeded`, and the cursor again.
    mutating func finish(now: Double, succeeded: Bool) -> String {
        var text = ""
        if succeeded {
            text = close(now: now)
        } else if drawn {
            text = Self.clearLine
        }
        if cursorHidden { text += Self.showCursor }
        phase = nil
        drawn = false
        cursorHidden = false
        return text
    }

    private mutating func open(now: Double, width: Int) -> String {
        switch mode {
        case .bar(let style):
            return draw(style, now: now, width: width)
        case .lines:
            guard let phase else { return "" }
            lastOutput = now
            return phase.line(now: now) + "\n"
        }
    }

    private mutating func draw(_ style: Style, now: Double, width: Int) -> String {
        guard let phase else { return "" }
        let start = cursorHidden ? "" : Self.hideCursor
        lastOutput = now
        drawn = true
        cursorHidden = true
        // The last column stays free: a full line would wrap in some terminals.
        return start + Self.clearLine + phase.bar(style, now: now, width: max(10, width - 1))
    }

    /// Closes the current phase: a finished bar gives way to a line that stays.
    private mutating func close(now: Double) -> String {
        guard let phase else { return "" }
        defer { drawn = false }
        switch mode {
        case .bar(let style):
            let clear = drawn ? Self.clearLine : ""
            return phase.isWorthKeeping(now: now)
                ? clear + "\(style.green(style.check)) \(phase.summary(now: now))\n" : clear
        case .lines:
            return phase.isWorthKeeping(now: now) ? phase.summary(now: now) + "\n" : ""
        }
    }

    private mutating func note(_ text: String) -> String {
        switch mode {
        case .bar(let style):
            let clear = drawn ? Self.clearLine : ""
            drawn = false
            return "\(clear)\(style.yellow("note:")) \(text)\n"
        case .lines:
            return "note: \(text)\n"
        }
    }
}
