import HidraProtocol

/// What `check` and `session validate` tell about data.
struct CheckReport {
    let reply: Hidra_V1_CheckDataReply

    func render(width: Int?, style: Style) -> String {
        var text = Format.count(reply.rows, "row")
        if reply.testRows > 0 { text += ", " + Format.count(reply.testRows, "test row") }
        if reply.labels > 0 { text += ", " + Format.count(reply.labels, "label") }
        text += " in \(Format.duration(reply.seconds))\n"
        guard !reply.findings.isEmpty else { return text + style.green("No faults found.") + "\n" }
        for finding in reply.findings { text += "\n" + render(finding, width ?? 120, style) }
        return text
    }

    private func render(_ finding: Hidra_V1_Finding, _ width: Int, _ style: Style) -> String {
        let title = finding.kind.replacing("_", with: " ")
        let severity =
            switch finding.severity {
            case "error": style.red(title)
            case "warning": style.yellow(title)
            default: style.bold(title)
            }
        var text = "\(severity): \(finding.text)\n"
        for example in finding.examples {
            text += "  " + line(example, finding.kind, width - 2) + "\n"
            guard example.otherRow > 0 else { continue }
            let other = "\(Self.place(example.otherRow, example.otherIsTest)) \(Self.label(example.otherLabel)) \(Self.quoted(example.otherText))"
            text += "    " + style.dim(Self.cut(other, width - 4)) + "\n"
        }
        if finding.count > UInt64(finding.examples.count) {
            text += style.dim("  … and \(Format.count(finding.count - UInt64(finding.examples.count))) more\n")
        }
        return text
    }

    private func line(_ example: Hidra_V1_FindingExample, _ kind: String, _ width: Int) -> String {
        guard example.row > 0 else { return Self.cut("\(Self.label(example.label)) \(Format.count(UInt64(example.value), "row"))", width) }
        var words = [Self.place(example.row, example.isTest), Self.label(example.label)]
        if !example.suggestion.isEmpty {
            words.append("(\(Format.fixed(example.value, 2))) → \(Self.label(example.suggestion))")
        } else if kind.contains("near") {
            words.append("(cosine \(Format.fixed(example.value, 3)))")
        }
        words.append(Self.quoted(example.text))
        return Self.cut(words.joined(separator: " "), width)
    }

    private static func place(_ row: UInt64, _ isTest: Bool) -> String { isTest ? "test row \(row)" : "row \(row)" }
    private static func label(_ label: String) -> String { label.isEmpty ? "[no label]" : "[\(label)]" }
    private static func quoted(_ text: String) -> String { "“\(DisplayWidth.oneLine(text))”" }
    private static func cut(_ text: String, _ width: Int) -> String { DisplayWidth.of(text) <= width ? text : DisplayWidth.fit(text, max(20, width)) }
}

extension Hidra_V1_CheckDataReply {
    /// Members of the line of `--json`.
    var members: [(String, JSON)] {
        [
            ("rows", .unsigned(rows)), ("test_rows", .unsigned(testRows)), ("labels", .unsigned(labels)),
            ("findings", .array(findings.map(\.json))), ("notes", .strings(notes)), ("seconds", .number(seconds)),
        ]
    }
}

extension Hidra_V1_Finding {
    fileprivate var json: JSON {
        .object([
            ("kind", .string(kind)), ("severity", .string(severity)), ("count", .unsigned(count)), ("text", .string(text)),
            ("examples", .array(examples.map(\.json))),
        ])
    }
}

extension Hidra_V1_FindingExample {
    fileprivate var json: JSON {
        var members: [(String, JSON)] = []
        if row > 0 { members += [("row", .unsigned(row)), ("is_test", .bool(isTest)), ("text", .string(text))] }
        members.append(("label", .string(label)))
        if otherRow > 0 {
            members += [
                ("other_row", .unsigned(otherRow)), ("other_is_test", .bool(otherIsTest)), ("other_text", .string(otherText)),
                ("other_label", .string(otherLabel)),
            ]
        }
        if !suggestion.isEmpty { members.append(("suggestion", .string(suggestion))) }
        members.append(("value", .number(value)))
        return .object(members)
    }
}
