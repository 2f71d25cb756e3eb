import HidraProtocol

extension ProgressRenderer {
    /// One phase of a job as seen so far: how far it is, how fast it goes, and how that reads.
    struct Phase {
        let name: String
        private let began: Double
        private let firstDone: UInt64
        private var latest: Hidra_V1_Progress
        /// Points of the last seconds; the rate shown is that of this window, so it follows changes of speed.
        private var window: [(time: Double, done: UInt64)]
        private static let windowSeconds = 5.0

        init(_ message: Hidra_V1_Progress, now: Double) {
            name = message.phase
            began = now
            firstDone = message.done
            latest = message
            window = [(now, message.done)]
        }

        mutating func advance(_ message: Hidra_V1_Progress, now: Double) {
            latest = message
            window.append((now, message.done))
            while window.count > 2, let first = window.first, now - first.time > Phase.windowSeconds {
                window.removeFirst()
            }
        }

        /// Units a second over the window; nil until something moved.
        var rate: Double? {
            guard let first = window.first, let last = window.last, last.done > first.done, last.time > first.time
            else { return nil }
            return Double(last.done - first.done) / (last.time - first.time)
        }

        /// Seconds left at the present rate.
        var remaining: Double? {
            guard let rate, rate > 0, latest.total > latest.done else { return nil }
            return Double(latest.total - latest.done) / rate
        }

        /// Waiting is no achievement: it leaves a line only when it took a while.
        func isWorthKeeping(now: Double) -> Bool {
            name == "queued" ? now - began >= 1 : latest.done > 0 || now - began >= 1
        }

        /// "extracting features ━━━━━━━━━──────── 6,200/10,003 rows · 0:04 left · 1,250/s · loss 0.31", at most `width`
        /// columns: the bar gets shorter first, then parts are left out from the right.
        func bar(_ style: Style, now: Double, width: Int) -> String {
            var parts = [position].filter { !$0.isEmpty }
            if let remaining {
                parts.append("\(Format.clock(remaining)) left")
            } else if now - began >= 2 {
                parts.append(Format.clock((now - began).rounded(.down)))
            }
            let essential = parts.count
            if let rate { parts.append(text(rate: rate)) }
            parts += metrics
            let separator = style.unicode ? " · " : " | "
            func free(_ parts: [String]) -> Int { width - name.count - 2 - parts.joined(separator: separator).count }
            while parts.count > essential, free(parts) < Self.shortBar { parts.removeLast() }
            while parts.count > 1, free(parts) < Self.shortestBar { parts.removeLast() }
            let tail = parts.joined(separator: separator)
            guard latest.total > 0, free(parts) >= Self.shortestBar else {
                return DisplayWidth.fit(tail.isEmpty ? name : "\(name) \(tail)", width)
            }
            let bar = style.bar(
                Double(latest.done) / Double(latest.total), width: min(Self.barWidth, free(parts)))
            return "\(name) \(bar) \(tail)"
        }

        private static let barWidth = 24
        /// Rate and metrics may take the bar's room down to this, the time left down to the shortest.
        private static let shortBar = 16
        private static let shortestBar = 8

        /// "training: 1,200/4,230 steps, 410/s, 0:08 left, loss 0.31"
        func line(now: Double) -> String {
            var parts = [position].filter { !$0.isEmpty }
            if let rate { parts.append(text(rate: rate)) }
            if let remaining { parts.append("\(Format.clock(remaining)) left") }
            parts += metrics
            return parts.isEmpty ? name : "\(name): \(parts.joined(separator: ", "))"
        }

        /// "extracting features: 10,003 rows in 8.0 s (1,250/s)"
        func summary(now: Double) -> String {
            let seconds = now - began
            guard latest.done > 0 else { return "\(name): \(Format.duration(seconds))" }
            let moved = latest.done - min(firstDone, latest.done)
            let speed = seconds >= 0.1 && moved > 0 ? " (\(text(rate: Double(moved) / seconds)))" : ""
            return "\(name): \(amount(latest.done)) in \(Format.duration(seconds))\(speed)"
        }

        private var position: String {
            guard latest.total > 0 else { return latest.done > 0 ? amount(latest.done) : "" }
            if latest.unit == "bytes" { return "\(Format.bytes(latest.done))/\(Format.bytes(latest.total))" }
            let unit = latest.unit.isEmpty ? "" : " \(latest.unit)"
            return "\(Format.count(latest.done))/\(Format.count(latest.total))\(unit)"
        }

        private func amount(_ value: UInt64) -> String {
            if latest.unit == "bytes" { return Format.bytes(value) }
            return latest.unit.isEmpty ? Format.count(value) : "\(Format.count(value)) \(latest.unit)"
        }

        private func text(rate: Double) -> String {
            latest.unit == "bytes" ? "\(Format.bytes(UInt64(min(max(rate, 0), 1e15))))/s" : "\(Format.rate(rate))/s"
        }

        /// The values a person follows, in a fixed order; others are in the JSON output.
        private var metrics: [String] {
            let shown = [
                ("epoch", "epoch"), ("loss", "loss"), ("validation_accuracy", "validation accuracy"),
                ("validation_score", "validation score"), ("cache_hits", "cached"),
            ]
            return shown.compactMap { key, title in
                guard let value = latest.metrics[key] else { return nil }
                switch key {
                case "epoch": return "\(title) \(Format.fixed(value, 0))"
                case "cache_hits": return value > 0 ? "\(Format.count(UInt64(min(value, 1e15)))) \(title)" : nil
                default: return "\(title) \(Format.fixed(value, 3))"
                }
            }
        }
    }
}
