import HidraProtocol
import Testing

@testable import hidra

private func message(
    _ phase: String, _ done: UInt64 = 0, of total: UInt64 = 0, unit: String = "rows", metrics: [String: Double] = [:],
    note: String = ""
) -> Hidra_V1_Progress {
    var message = Hidra_V1_Progress()
    message.phase = phase
    message.done = done
    message.total = total
    message.unit = unit
    message.metrics = metrics
    message.note = note
    return message
}

/// What a terminal would show in its last line, escape sequences of colour and cursor left out.
private func shown(_ text: String) -> String {
    let last = text.components(separatedBy: "\r\u{1B}[2K").last ?? ""
    return last.replacing(/\u{1B}\[[0-9;?]*[a-zA-Z]/, with: "")
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}

private let start = ProgressRenderer.hideCursor + "\r\u{1B}[2K"

@Suite("Progress on a terminal")
struct ProgressBarTests {
    @Test("A bar shows phase, share, amount, time left and rate")
    func bar() {
        var renderer = ProgressRenderer(mode: .bar(.plain))
        #expect(renderer.update(message("training", 0, of: 100, unit: "steps"), now: 0, width: 80).hasPrefix(start))
        let text = renderer.update(
            message("training", 25, of: 100, unit: "steps", metrics: ["loss": 0.5]), now: 1, width: 100)
        #expect(shown(text) == "training ━━━━━━────────────────── 25/100 steps · 0:03 left · 25.0/s · loss 0.500")
    }

    @Test("No line reaches the terminal's edge", arguments: Array(12...40) + [60, 79, 80, 81, 200])
    func narrow(width: Int) {
        var renderer = ProgressRenderer(mode: .bar(.plain))
        _ = renderer.update(message("extracting features", 0, of: 10_003), now: 0, width: width)
        for step in 1...20 {
            let text = renderer.update(
                message("extracting features", UInt64(step) * 500, of: 10_003, metrics: ["loss": 0.25, "epoch": 3]),
                now: Double(step), width: width)
            #expect(DisplayWidth.of(shown(text)) < width)
        }
    }

    @Test("Without a total there is no bar, but what was done")
    func noTotal() {
        var renderer = ProgressRenderer(mode: .bar(.plain))
        _ = renderer.update(message("downloading", 0, unit: "bytes"), now: 0, width: 80)
        let text = renderer.update(message("downloading", 3_000_000, unit: "bytes"), now: 3, width: 80)
        #expect(shown(text) == "downloading 3.0 MB · 0:03 · 1.0 MB/s")
    }

    @Test("A redraw less than a twelfth of a second after the last is left out, the end of a phase never")
    func throttle() {
        var renderer = ProgressRenderer(mode: .bar(.plain))
        _ = renderer.update(message("training", 0, of: 100), now: 0, width: 80)
        #expect(renderer.update(message("training", 1, of: 100), now: 0.01, width: 80) == "")
        #expect(renderer.update(message("training", 2, of: 100), now: 0.1, width: 80) != "")
        #expect(renderer.update(message("training", 100, of: 100), now: 0.11, width: 80) != "")
    }

    @Test("A finished phase leaves a line behind, and waiting in the queue none")
    func phases() {
        var renderer = ProgressRenderer(mode: .bar(.plain))
        _ = renderer.update(message("queued"), now: 0, width: 80)
        let second = renderer.update(message("extracting features", 0, of: 100), now: 0.1, width: 80)
        #expect(!second.contains("✓"))
        _ = renderer.update(message("extracting features", 100, of: 100), now: 2.1, width: 80)
        let third = renderer.update(message("training", 0, of: 10, unit: "steps"), now: 2.1, width: 80)
        #expect(third.contains("✓ extracting features: 100 rows in 2.00 s (50.0/s)\n"))
        #expect(third.hasSuffix("training ──────────────────────── 0/10 steps"))
    }

    @Test("The cursor comes back when the job ends, well or not", arguments: [true, false])
    func cursor(succeeded: Bool) {
        var renderer = ProgressRenderer(mode: .bar(.plain))
        let first = renderer.update(message("training", 1, of: 2), now: 0, width: 80)
        let rest = renderer.update(message("training", 2, of: 2), now: 1, width: 80)
        let end = renderer.finish(now: 1, succeeded: succeeded)
        #expect((first + rest).components(separatedBy: ProgressRenderer.hideCursor).count == 2)
        #expect(end.hasSuffix(ProgressRenderer.showCursor))
        #expect(end.contains("✓ training") == succeeded)
        #expect(renderer.finish(now: 2, succeeded: succeeded) == "")
    }

    @Test("A note stands above the bar, which is drawn again")
    func note() {
        var renderer = ProgressRenderer(mode: .bar(.plain))
        _ = renderer.update(message("training", 1, of: 4), now: 0, width: 80)
        let text = renderer.update(message("training", 2, of: 4, note: "3 texts were cut."), now: 0.01, width: 80)
        #expect(text.hasPrefix("\r\u{1B}[2Knote: 3 texts were cut.\n\r\u{1B}[2Ktraining"))
    }

    @Test("The rate is that of the last seconds, not of the whole phase")
    func rate() {
        var renderer = ProgressRenderer(mode: .bar(.plain))
        var text = ""
        for second in 0...20 {
            // Ten seconds at 10 rows a second, then ten at 100.
            let done = second <= 10 ? second * 10 : 100 + (second - 10) * 100
            text = renderer.update(message("training", UInt64(done), of: 2100), now: Double(second), width: 100)
        }
        #expect(shown(text).contains("100/s"))
        #expect(shown(text).contains("0:10 left"))
    }

    @Test("ASCII does where the locale is not UTF-8")
    func ascii() {
        var renderer = ProgressRenderer(mode: .bar(Style(colour: false, unicode: false)))
        _ = renderer.update(message("training", 0, of: 4), now: 0, width: 80)
        let text = shown(renderer.update(message("training", 2, of: 4), now: 1, width: 80))
        #expect(text == "training ############------------ 2/4 rows | 0:01 left | 2.00/s")
        #expect(text.allSatisfy { $0.isASCII })
    }
}

@Suite("Progress in a pipe")
struct ProgressLinesTests {
    @Test("One line at most every two seconds, and one at each change of phase")
    func lines() {
        var renderer = ProgressRenderer(mode: .lines)
        var text = ""
        for tick in 0...50 {
            text += renderer.update(
                message("extracting features", UInt64(tick) * 20, of: 1000), now: Double(tick) / 10, width: 80)
        }
        text += renderer.update(message("training", 0, of: 10, unit: "steps"), now: 5, width: 80)
        text += renderer.finish(now: 6, succeeded: true)
        #expect(
            text == """
                extracting features: 0/1,000 rows
                extracting features: 400/1,000 rows, 200/s, 0:03 left
                extracting features: 800/1,000 rows, 200/s, 0:01 left
                extracting features: 1,000 rows in 5.00 s (200/s)
                training: 0/10 steps
                training: 1.00 s

                """)
    }

    @Test("Nothing a terminal would have to interpret is written")
    func plain() {
        var renderer = ProgressRenderer(mode: .lines)
        let text =
            renderer.update(message("training", 1, of: 2, note: "Look here."), now: 0, width: 80)
            + renderer.finish(now: 3, succeeded: false)
        #expect(text == "note: Look here.\ntraining: 1/2 rows\n")
    }

    @Test("Values a person follows are shown, cached rows only when there are any")
    func metrics() {
        var renderer = ProgressRenderer(mode: .lines)
        let text = renderer.update(
            message("training", 1, of: 2, metrics: ["loss": 0.25, "epoch": 3, "cache_hits": 0, "learning_rate": 0.1]),
            now: 0, width: 80)
        #expect(text == "training: 1/2 rows, epoch 3, loss 0.250\n")
    }
}
