/// Where a command prints. Results go to standard output; progress, notes and errors to standard error; with `--json`
/// everything goes to standard output, one JSON object a line.
struct Console: Sendable {
    let output: Terminal
    let errors: Terminal
    let json: Bool

    init(json: Bool, output: Terminal = .output, errors: Terminal = .errors) {
        self.json = json
        self.output = output
        self.errors = errors
    }

    /// Style and width of result tables.
    var style: Style { output.style }
    var width: Int? { output.width }

    func print(_ text: String) throws {
        try output.write(text.hasSuffix("\n") ? text : text + "\n")
    }

    func print(_ value: JSON) throws {
        try output.write(value.text + "\n")
    }

    /// A remark beside the result, e.g. how many texts were cut. Not for results: it may go unseen.
    func note(_ text: String) throws {
        if json {
            try print(.event("note", [("message", .string(text))]))
        } else {
            try errors.write("\(errors.style.yellow("note:")) \(text)\n")
        }
    }
}
