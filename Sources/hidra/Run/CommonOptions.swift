import ArgumentParser

/// What every verb takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print JSON, one object a line, on standard output.")
    var json = false

    @Option(help: ArgumentHelp("Give up after this many seconds, cancelling what was asked for.", valueName: "seconds"))
    var timeout: Double?

    func validate() throws {
        if let timeout, !(timeout > 0 && timeout.isFinite) {
            throw ValidationError("--timeout takes seconds above 0, e.g. --timeout 60; it was \(timeout).")
        }
    }
}
