import ArgumentParser
import HidraClient
import HidraProtocol

struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare two runs, or the runs of two heads, row by row.",
        discussion: """
            Prints the settings and metrics that differ, and whether the difference on the test rows is more than chance: for \
            classify McNemar's exact test, for other tasks a sign-flip permutation test of each row's error; with a bootstrap \
            interval of 95 %. Two runs that were tested on different rows are refused: nothing would follow.

            EXAMPLE:
              hidra compare bank bank-mlp
              hidra compare run-1a2b3c4d bank-mlp

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such head or run, or nothing kept of it, 5 different test rows, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("A head, or the id of a run.", valueName: "first"))
    var first: String

    @Argument(help: ArgumentHelp("Another.", valueName: "second"))
    var second: String

    @Option(help: "Seed of the resampling.")
    var seed: UInt64 = 0

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let reply = try await session.client.compare(first, second, seed: seed)
            let console = session.console
            if console.json { return try console.print(.event("result", reply.members)) }
            try console.print(CompareReport(reply: reply).render(width: console.width, style: console.style))
        }
    }
}
