/// One finding of `doctor`.
struct Check: Sendable, Equatable {
    enum Outcome: String, Sendable { case ok, warn, fail }

    var name: String
    var outcome: Outcome
    /// What was found.
    var finding: String
    /// What to do about it; empty when all is well.
    var advice = ""

    static func ok(_ name: String, _ finding: String) -> Check { Check(name: name, outcome: .ok, finding: finding) }

    static func warn(_ name: String, _ finding: String, _ advice: String) -> Check {
        Check(name: name, outcome: .warn, finding: finding, advice: advice)
    }

    static func fail(_ name: String, _ finding: String, _ advice: String) -> Check {
        Check(name: name, outcome: .fail, finding: finding, advice: advice)
    }

    /// "ok    home          /home/me/.local/share/hidra, 41.2 GB free", and the advice on a line below.
    func text(style: Style) -> String {
        let mark = DisplayWidth.pad(outcome.rawValue, 4)
        let painted =
            switch outcome {
            case .ok: style.green(mark)
            case .warn: style.yellow(mark)
            case .fail: style.red(mark)
            }
        let line = "\(painted)  \(DisplayWidth.pad(name, Check.nameWidth))  \(finding)\n"
        let indent = String(repeating: " ", count: 4 + 2 + Check.nameWidth + 2)
        return line + (advice.isEmpty ? "" : "\(indent)\(style.unicode ? "→" : "->") \(advice)\n")
    }

    var json: JSON {
        .event(
            "check",
            [
                ("name", .string(name)), ("outcome", .string(outcome.rawValue)), ("finding", .string(finding)),
                ("advice", .string(advice)),
            ])
    }

    private static let nameWidth = 12
}
