import ArgumentParser

/// What an encoder computes in, for one command.
struct PrecisionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What the encoder computes in, for this command alone (default: as `hidra quantize` has set it, fp32 at first).",
            valueName: "fp32|int8"))
    var precision: PrecisionName?

    /// As the protocol has it; empty: as the encoder is set.
    var wire: String { precision?.rawValue ?? "" }
}

enum PrecisionName: String, ExpressibleByArgument, CaseIterable, Sendable { case fp32, int8 }
