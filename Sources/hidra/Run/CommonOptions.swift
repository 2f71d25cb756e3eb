import ArgumentParser

/// What every verb takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print JSON, one object a line, on standard output.")
    var json = false

    @Option(help: ArgumentHelp("Give up after this many seconds, cancelling what was asked for.", valueName: "seconds"))
    var timeout: Double?

    @Option(
        help: ArgumentHelp(
            "Ask a daemon on another machine (default: $HIDRA_SERVER, or as the key says).", valueName: "tcp://host:port"))
    var server: String?

    @Option(
        help: ArgumentHelp(
            "Key to that daemon, as `hidra keys new` writes it (default: $HIDRA_KEY; without: the daemon of this machine).",
            valueName: "file"), completion: .file())
    var key: String?

    func validate() throws {
        if let timeout, !(timeout > 0 && timeout.isFinite) {
            throw ValidationError("--timeout takes seconds above 0, e.g. --timeout 60; it was \(timeout).")
        }
    }
}
