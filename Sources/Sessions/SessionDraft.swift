package import Tables

/// A session document to start from, guessed from tables, with the reason for each guess in a comment.
package struct SessionDraft: Sendable {
    /// A table, and what the document is to call it.
    package struct File: Sendable {
        package let path: String
        package let table: Table

        package init(path: String, table: Table) { (self.path, self.table) = (path, table) }

        /// `data/tickets-train.csv` → `tickets-train`
        var stem: String {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            return name.split(separator: ".").first.map(String.init) ?? name
        }
    }

    /// The document.
    package private(set) var text = ""
    /// What could not be guessed.
    package private(set) var notes: [String] = []

    /// - Parameter name: nil: after the first file.
    /// - Throws: `SessionError` when no file has a column of texts and one of labels, with what was seen.
    package init(_ files: [File], name: String? = nil, encoder: String) throws(SessionError) {
        let (training, tests) = Self.paired(files)
        var heads: [(name: String, lines: [(String, String)])] = [], names: Set<String> = []
        for (index, file) in training.enumerated() {
            let columns = file.table.columns.compactMap { ColumnSketch($0, file.table) }
            guard let read = ColumnSketch.text(columns) else {
                notes.append("\(file.path) has no column of texts.")
                continue
            }
            for column in columns where column.name != read.name {
                guard let guess = LabelGuess(column, beside: read) else {
                    notes.append("\(file.path): column '\(column.name)' is left out: \(LabelGuess.refusal(column)).")
                    continue
                }
                var head = Self.identifier(column.name), number = 2
                if names.contains(head) { head = Self.identifier("\(file.stem)-\(column.name)") }
                while !names.insert(head).inserted { (head, number) = ("\(Self.identifier(column.name))-\(number)", number + 1) }
                heads.append((head, Self.lines(file, tests[index], read, column, guess)))
            }
        }
        guard !heads.isEmpty else {
            throw SessionError(
                .invalid,
                "No file has a column of texts and beside it one of labels, so that nothing can be trained. \(notes.joined(separator: " "))")
        }
        text = Self.document(name ?? Self.identifier(training[0].stem), encoder, heads)
    }

    // MARK: Files

    /// Files whose names say that they are test rows of another one with the same columns go with it.
    private static func paired(_ files: [File]) -> (training: [File], tests: [File?]) {
        func isTest(_ file: File) -> Bool { file.stem.lowercased().contains("test") }
        func base(_ file: File) -> String {
            ["train", "test", "-", "_", "."].reduce(file.stem.lowercased()) { $0.replacing($1, with: "") }
        }
        let training = files.filter { file in
            !isTest(file) || !files.contains { !isTest($0) && base($0) == base(file) && $0.table.columns == file.table.columns }
        }
        return (
            training,
            training.map { file in
                isTest(file)
                    ? nil : files.first { isTest($0) && base($0) == base(file) && $0.table.columns == file.table.columns }
            }
        )
    }

    // MARK: The document's lines

    private static func lines(
        _ file: File, _ test: File?, _ read: ColumnSketch, _ label: ColumnSketch, _ guess: LabelGuess
    ) -> [(String, String)] {
        var lines: [(String, String)] = [("data: \(scalar(file.path))", "\(file.table.rows) rows")]
        if let test {
            lines.append(("test: \(scalar(test.path))", "\(test.table.rows) rows, of the same columns"))
        } else {
            lines.append(("holdout: 0.2", "of the rows, to measure on; or `test:` and a file"))
        }
        lines.append(("text: \(scalar(read.name))", "\(rounded(read.words)) words a row, \(read.distinct) different ones"))
        lines.append(("label: \(scalar(label.name))", guess.counts))
        lines.append(("task: \(guess.task.rawValue)", guess.reason))
        if guess.task == .multilabel { lines.append(("separator: \"|\"", "")) }
        if let warning = guess.warning { lines.append(("", warning)) }
        return lines
    }

    private static func document(_ name: String, _ encoder: String, _ heads: [(name: String, lines: [(String, String)])]) -> String {
        var lines: [(String, String)] = [
            ("hidra: \(SessionPlan.version)", "version of this format"), ("name: \(scalar(name))", "of the session, and of what it leaves"),
            ("seed: 0", "the same seed, data and document give the same bytes"),
            ("encoder: \(scalar(encoder))", "of the heads that name none of their own; `hidra ls` lists them"), ("heads:", ""),
        ]
        for head in heads {
            lines.append(("  \(scalar(head.name)):", ""))
            lines += head.lines.map { ($0.0.isEmpty ? "" : "    " + $0.0, $0.1) }
        }
        lines += [
            ("train:", ""), ("  what: heads", "heads | lora | top: what is trained of the encoder, nothing here"),
            ("  epochs: 30", ""), ("  patience: 10", "epochs without a better validation score before a head stops"),
            ("sampler: proportional", "proportional | temperature 2 | round-robin, when the heads have data of their own"),
            ("balance: fixed", "fixed | uncertainty | gradnorm | pcgrad, when something of the encoder is trained"),
        ]
        let column = min(44, (lines.map { $0.0.unicodeScalars.count }.max() ?? 0) + 2)
        return lines.map { line, comment in
            guard !comment.isEmpty else { return line }
            guard !line.isEmpty else { return "    # \(comment)" }
            return line + String(repeating: " ", count: max(2, column - line.unicodeScalars.count)) + "# \(comment)"
        }.joined(separator: "\n") + "\n"
    }

    /// A YAML scalar that is read as exactly this text.
    static func scalar(_ text: String) -> String {
        let isPlain =
            text.first?.isLetter ?? false
            && text.unicodeScalars.allSatisfy { $0.isASCII && ($0.properties.isAlphabetic || "0123456789_-./".unicodeScalars.contains($0)) }
            && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
        if isPlain { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// As names of heads are: letters, digits, dashes, dots and underscores.
    private static func identifier(_ text: String) -> String {
        let name = String(
            text.unicodeScalars.map { scalar -> Character in
                let isKept = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "._-".unicodeScalars.contains(scalar))
                return isKept ? Character(scalar) : "-"
            }.prefix(60).drop { "._-".contains($0) })
        return name.isEmpty ? "head" : name
    }

    static func rounded(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}
