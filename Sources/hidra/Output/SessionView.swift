import HidraProtocol

/// The live view of a session: a value that is given messages and returns what to write.
struct SessionView {
    private let style: Style
    /// A block redrawn in place; otherwise a line for each change.
    private let redraws: Bool
    private var drawnLines = 0
    private var lastLine = ""
    private var lastNote = ""

    init(style: Style, redraws: Bool) {
        self.style = style
        self.redraws = redraws
    }

    mutating func update(_ progress: Hidra_V1_SessionProgress, width: Int) -> String {
        guard redraws else { return line(progress) }
        let lines = block(progress, width: width).map { DisplayWidth.fit($0, width) }
        let text = erase() + lines.joined(separator: "\n") + "\n"
        drawnLines = lines.count
        return text
    }

    /// What is left behind when the session does not run any more.
    mutating func finish(_ session: Hidra_V1_Session) -> String {
        var text = erase()
        drawnLines = 0
        text += SessionReport(session: session, now: session.updated).summary(style: style)
        return text
    }

    private func erase() -> String { drawnLines == 0 ? "" : "\u{1B}[\(drawnLines)A\u{1B}[J" }

    // MARK: In a terminal

    private func block(_ progress: Hidra_V1_SessionProgress, width: Int) -> [String] {
        let session = progress.session
        var lines = ["\(style.bold(session.name))  \(session.state)\(session.phase.isEmpty ? "" : ", \(session.phase)")"]
        if progress.total > 0 {
            let share = Double(progress.done) / Double(progress.total)
            lines.append(
                "\(style.bar(share, width: max(10, min(40, width - 40))))  \(Format.count(progress.done))/\(Format.count(progress.total)) "
                    + progress.unit + (progress.secondsLeft > 0 ? "  \(Format.clock(progress.secondsLeft)) left" : ""))
        }
        lines.append(style.dim(facts(progress)))
        let names = session.heads.map { DisplayWidth.of($0.name) }.max() ?? 0
        for head in session.heads {
            let name = DisplayWidth.pad(head.name, names), scores = head.epochs.map(\.validationScore), losses = head.epochs.map(\.loss)
            var text = "\(name)  loss \(DisplayWidth.pad(head.loss == 0 ? "–" : Format.metric(head.loss), 8)) "
            text += DisplayWidth.pad(style.sparkline(losses, width: 16), 16)
            if let last = scores.last {
                text += "  score \(DisplayWidth.pad(Format.metric(last), 8)) \(DisplayWidth.pad(style.sparkline(scores, width: 16), 16))"
                text += "  best of epoch \(head.bestEpoch)"
            }
            lines.append(text)
        }
        if !progress.note.isEmpty { lines.append(style.yellow(progress.note)) }
        return lines
    }

    private func facts(_ progress: Hidra_V1_SessionProgress) -> String {
        var facts: [String] = []
        if progress.stepsPerSecond > 0, progress.session.phase == "training" { facts.append("\(Format.rate(progress.stepsPerSecond)) steps/s") }
        if progress.rowsPerSecond > 0, progress.session.phase != "training" { facts.append("\(Format.rate(progress.rowsPerSecond)) rows/s") }
        let looked = progress.cacheHits + progress.cacheMisses
        if looked > 0 { facts.append("\(Format.count(progress.cacheHits)) of \(Format.count(looked)) rows from the cache") }
        facts.append("\(Format.duration(progress.session.seconds)), \(Format.rate(progress.session.coreSeconds)) core-seconds")
        facts.append("checkpoint at step \(Format.count(progress.session.checkpointStep))")
        return facts.joined(separator: " · ")
    }

    // MARK: Elsewhere

    /// A line when the phase, an epoch or the note is another than before; and one for each tenth of the steps.
    private mutating func line(_ progress: Hidra_V1_SessionProgress) -> String {
        let session = progress.session
        let tenth = progress.total > 0 ? progress.done * 10 / progress.total : 0
        let key = "\(session.state) \(session.phase) \(tenth) \(session.heads.map { "\($0.epochs.count)" }.joined(separator: ","))"
        var text = ""
        if progress.note != lastNote, !progress.note.isEmpty { text += "note: \(progress.note)\n" }
        lastNote = progress.note
        guard key != lastLine else { return text }
        lastLine = key
        text += "\(session.name)  \(session.phase.isEmpty ? session.state : session.phase)"
        if progress.total > 0 { text += "  \(progress.done)/\(progress.total) \(progress.unit)" }
        for head in session.heads {
            guard let last = head.epochs.last else { continue }
            text += "  \(head.name): epoch \(last.epoch), loss \(Format.metric(last.loss)), score \(Format.metric(last.validationScore))"
        }
        if progress.stepsPerSecond > 0, session.phase == "training" { text += "  \(Format.rate(progress.stepsPerSecond)) steps/s" }
        if progress.secondsLeft > 0, session.phase == "training" { text += "  \(Format.clock(progress.secondsLeft)) left" }
        return text + "\n"
    }
}

extension Hidra_V1_SessionProgress {
    var members: [(String, JSON)] {
        [
            ("session", session.json), ("done", .unsigned(done)), ("total", .unsigned(total)), ("unit", .string(unit)),
            ("steps_per_second", .number(stepsPerSecond)), ("rows_per_second", .number(rowsPerSecond)), ("cache_hits", .unsigned(cacheHits)),
            ("cache_misses", .unsigned(cacheMisses)), ("seconds_left", secondsLeft > 0 ? .number(secondsLeft) : .null), ("note", .string(note)),
        ]
    }
}
