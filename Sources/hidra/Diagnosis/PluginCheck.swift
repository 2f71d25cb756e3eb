import Foundation
import HidraClient
import HidraProtocol
import PluginHost

/// One thing that a plugin must do. Suites of checks are lists of these; `all` is what `hidra plugin test` runs.
struct PluginCheck: Sendable {
    enum Outcome: Sendable {
        case passed(String)
        case failed(String)
        /// It does not apply.
        case skipped(String)
    }

    let name: String
    /// Without it the others say nothing.
    var isNeeded = false
    /// What is thrown is a failure too.
    let run: @Sendable (PluginBench) async throws -> Outcome

    static let all = life

    /// The life of a plugin, from its manifest to the end of its daemon.
    static let life: [PluginCheck] = [
        PluginCheck(name: "its manifest is valid", isNeeded: true) { bench in
            let manifest = try await bench.readManifest()
            return .passed("\(manifest.name) \(manifest.version), role \(manifest.role.rawValue)")
        },
        PluginCheck(name: "it speaks this protocol", isNeeded: true) { bench in
            let range = try await bench.readManifest().protocolRange, ours = ProtocolVersion.supported
            return range.overlaps(ours)
                ? .passed("\(range.lowerBound) to \(range.upperBound)")
                : .failed("it speaks \(range.lowerBound) to \(range.upperBound), hidra \(ours.lowerBound) to \(ours.upperBound)")
        },
        PluginCheck(name: "it can be installed", isNeeded: true) { bench in
            let encoders = try await bench.pullEncoders()
            _ = try await bench.client().installPlugin(bench.folder)
            return .passed(encoders.isEmpty ? "no encoder" : Format.list(encoders))
        },
        PluginCheck(name: "it says hello, with its token", isNeeded: true) { bench in
            let plugin = try await bench.client().controlPlugin(bench.name, .start)
            return plugin.state == "running" ? .passed("process \(plugin.processID)") : .failed("it is \(plugin.state)")
        },
        PluginCheck(name: "it makes its heads", isNeeded: true) { bench in
            let process = try await bench.plugin().processID
            let client = try await bench.client()
            let deadline = ContinuousClock.now + bench.patience
            guard let heads = await bench.manifest?.heads, !heads.isEmpty else { return .skipped("its manifest names none") }
            while true {
                let there = Set(try await client.list().heads.map(\.name)), missing = heads.filter { !there.contains($0) }
                if missing.isEmpty { return .passed(Format.list(heads)) }
                let plugin = try await bench.plugin()
                guard plugin.processID == process else {
                    return .failed("it ended before it had made \(Format.list(missing))" + (plugin.problem.isEmpty ? "" : ": \(plugin.problem)"))
                }
                guard deadline > .now else { return .failed("\(Format.list(missing)) did not come; --patience gives it more time") }
                try await Task.sleep(for: .milliseconds(50))
            }
        },
        PluginCheck(name: "its heads answer") { bench in try await answers(bench) },
        PluginCheck(name: "it stays when its work is done") { bench in
            let before = try await bench.plugin()
            try await Task.sleep(for: .seconds(2))
            let after = try await bench.plugin()
            guard after.state == "running", after.processID == before.processID else {
                return .failed("it is \(after.state)" + (after.problem.isEmpty ? "" : ", \(after.problem)"))
            }
            return after.restarts == 0 ? .passed(Format.bytes(after.residentBytes)) : .failed("it was restarted: \(after.problem)")
        },
        PluginCheck(name: "killed, it comes back, and its heads answer meanwhile") { bench in
            let before = try await bench.plugin()
            guard before.processID > 0, kill(pid_t(before.processID), SIGKILL) == 0 else { return .failed("it does not run") }
            if case .failed(let why) = try await answers(bench, without: true) { return .failed(why) }
            let after = try await bench.plugin(within: .seconds(40), "did not come back") {
                $0.state == "running" && $0.processID != before.processID
            }
            return .passed("process \(after.processID)")
        },
        PluginCheck(name: "it leaves when told goodbye") { bench in
            let start = ContinuousClock.now
            let process = pid_t(try await bench.plugin().processID)
            _ = try await bench.client().controlPlugin(bench.name, .stop)
            guard !PluginBench.isAlive(process) else { return .failed("process \(process) is still there") }
            // The daemon's patience; what takes longer was ended by a signal.
            return ContinuousClock.now - start < .seconds(2.9) ? .passed("") : .failed("it did not within 3 s, and was ended by SIGTERM")
        },
        PluginCheck(name: "it leaves with its daemon") { bench in
            let plugin = try await bench.client().controlPlugin(bench.name, .start)
            let isGone = try await bench.stopDaemon([pid_t(plugin.processID)])
            return isGone ? .passed("") : .failed("process \(plugin.processID), or the daemon, is still there after 10 s")
        },
    ]

    /// Asks its heads that read one text.
    ///
    /// - Parameter without: while it is not there, so that a head it serves cannot answer.
    private static func answers(_ bench: PluginBench, without: Bool = false) async throws -> Outcome {
        let client = try await bench.client()
        let names = await bench.manifest?.heads ?? []
        let heads = try await client.list().heads.filter {
            names.contains($0.name) && $0.modality == "text" && Set($0.inputs.map(\.column)).count <= 1
                && !(without && !$0.calls.isEmpty)
        }
        guard !heads.isEmpty else { return .skipped("it has none that reads one text") }
        let reply = try await client.predict(heads: heads.map(\.name), .texts(["A text that it has never seen."]))
        let answered = reply.inputs.first?.heads ?? []
        guard answered.count == heads.count else { return .failed(reply.inputs.first?.problem ?? "no answer") }
        return .passed(zip(heads, answered).map { head, answer in
            "\(head.name): \(answer.labels.first?.label ?? (answer.hasValue ? Format.metric(answer.value) : "\(answer.spans.count) pieces"))"
        }.joined(separator: ", "))
    }
}

extension PluginCheck.Outcome {
    private var parts: (word: String, finding: String) {
        switch self {
        case .passed(let finding): ("ok", finding)
        case .failed(let why): ("fail", why)
        case .skipped(let why): ("skip", why)
        }
    }

    /// "ok    it says hello, with its token (0.3 s): process 4711"
    func text(_ name: String, _ seconds: Double, style: Style) -> String {
        let mark = DisplayWidth.pad(parts.word, 4)
        let painted =
            switch self {
            case .passed: style.green(mark)
            case .failed: style.red(mark)
            case .skipped: style.yellow(mark)
            }
        let time = seconds >= 0.05 ? " (\(Format.fixed(seconds, 1)) s)" : ""
        return "\(painted)  \(name)\(time)" + (parts.finding.isEmpty ? "" : ": \(parts.finding)") + "\n"
    }

    func json(_ name: String, _ seconds: Double) -> JSON {
        .event(
            "check",
            [("name", .string(name)), ("outcome", .string(parts.word)), ("finding", .string(parts.finding)), ("seconds", .number(seconds))])
    }
}
