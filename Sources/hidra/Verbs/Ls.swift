import ArgumentParser
import HidraClient
import HidraProtocol

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

struct Ls: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List encoders and heads.",
        discussion: """
            EXAMPLE:
              hidra ls
              hidra ls --runs

            EXIT CODES: 0 done, 2 wrong arguments, 6 the daemon cannot be reached, 7 time-out.
            """)

    @Flag(help: "List training runs too.")
    var runs = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let reply = try await session.client.list()
            let console = session.console
            if console.json {
                var members: [(String, JSON)] = [
                    ("encoders", .array(reply.encoders.map(\.json))), ("heads", .array(reply.heads.map(\.json))),
                ]
                if runs { members.append(("runs", .array(reply.runs.map(\.json)))) }
                return try console.print(.event("result", members))
            }
            let listing = RegistryListing(reply: reply, now: Double(time(nil)))
            try console.print(listing.render(runs: runs, width: console.width, style: console.style))
        }
    }
}
