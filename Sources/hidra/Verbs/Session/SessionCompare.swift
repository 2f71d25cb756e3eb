import ArgumentParser

/// What `compare` does: a session's heads have runs, and are heads like any others.
struct SessionCompare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare two runs, or two heads, of sessions or not: as `hidra compare`.",
        discussion: """
            EXAMPLE:
              hidra session compare intent intent-lora

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such head or run, or nothing kept of it, 5 different test rows, 7 time-out.
            """)

    @OptionGroup var compare: Compare

    func run() async throws { try await compare.run() }
}
