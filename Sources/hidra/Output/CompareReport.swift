import HidraProtocol

/// What `compare` and `session compare` tell about two runs.
struct CompareReport {
    let reply: Hidra_V1_CompareReply
    /// Probability below which a difference is called one.
    private static let level = 0.05

    func render(width: Int?, style: Style) -> String {
        let first = "\(reply.first.head) (\(reply.first.id))", second = "\(reply.second.head) (\(reply.second.id))"
        var text = ""
        if !reply.settings.isEmpty {
            var grid = Grid([.init("SETTING", flexible: true), .init(first, flexible: true), .init(second, flexible: true)])
            for setting in reply.settings { grid.add(setting.name, setting.first, setting.second) }
            text += grid.render(width: width, style: style) + "\n"
        }
        var grid = Grid([.init("METRIC"), .init(first, right: true), .init(second, right: true), .init("DIFFERENCE", right: true)])
        for metric in reply.metrics {
            let difference = metric.second - metric.first
            grid.add(
                metric.name.replacing("_", with: " "), Self.metric(metric.first), Self.metric(metric.second),
                difference.isFinite ? (difference > 0 ? "+" : "") + Format.metric(difference) : "–")
        }
        return text + grid.render(width: width, style: style) + "\n" + verdict(style)
    }

    private static func metric(_ value: Double) -> String { value.isFinite ? Format.metric(value) : "–" }

    private func verdict(_ style: Style) -> String {
        let test = reply.test, rows = Format.count(test.rows, "shared test row")
        let p = test.pValue < 0.0001 ? "p < 0.0001" : "p = \(Format.fixed(test.pValue, 4))"
        var lines: [String] = []
        if test.method == "mcnemar_exact" {
            lines.append(
                "Of \(rows) \(Format.count(test.onlyFirst)) only \(reply.first.head) has right, \(Format.count(test.onlySecond)) only "
                    + "\(reply.second.head): \(style.bold(p)) (McNemar, exact, two-sided).")
            lines.append(
                "Accuracy changes by \(signed(test.difference * 100, 2)) points, 95 % interval "
                    + "\(signed(test.low * 100, 2)) to \(signed(test.high * 100, 2)) (bootstrap).")
        } else {
            lines.append(
                "Over \(rows) the mean of \(test.quantity) changes by \(signed(test.difference, 4)), 95 % interval \(signed(test.low, 4)) to "
                    + "\(signed(test.high, 4)) (bootstrap): \(style.bold(p)) (sign flips, two-sided).")
        }
        lines.append(
            test.pValue < Self.level
                ? "The difference is more than chance would make of equal heads in one of twenty cases."
                : "The difference may well be chance: do not choose between them for it.")
        return lines.joined(separator: "\n") + "\n"
    }

    private func signed(_ value: Double, _ decimals: Int) -> String { (value > 0 ? "+" : "") + Format.fixed(value, decimals) }
}

extension Hidra_V1_CompareReply {
    /// Members of the line of `--json`.
    var members: [(String, JSON)] {
        [
            ("first", first.json), ("second", second.json),
            (
                "settings",
                .array(
                    settings.map {
                        .object([("name", .string($0.name)), ("first", .string($0.first)), ("second", .string($0.second))])
                    })
            ),
            (
                "metrics",
                .array(
                    metrics.map {
                        .object([("name", .string($0.name)), ("first", .number($0.first)), ("second", .number($0.second))])
                    })
            ),
            (
                "test",
                .object([
                    ("method", .string(test.method)), ("rows", .unsigned(test.rows)), ("p_value", .number(test.pValue)),
                    ("quantity", .string(test.quantity)), ("difference", .number(test.difference)), ("low", .number(test.low)),
                    ("high", .number(test.high)), ("only_first", .unsigned(test.onlyFirst)), ("only_second", .unsigned(test.onlySecond)),
                ])
            ),
        ]
    }
}
