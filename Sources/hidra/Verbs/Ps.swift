import ArgumentParser
import HidraClient
import HidraProtocol

struct Ps: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps",
        abstract: "List running jobs.",
        discussion: """
            Does not start a daemon.

            EXAMPLE:
              hidra ps

            EXIT CODES: 0 done, 2 wrong arguments, 6 the daemon does not run, 7 time-out.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common, startDaemon: false) { session in
            let reply = try await session.client.status()
            let console = session.console
            if console.json { return try console.print(.event("result", [("jobs", .array(reply.jobs.map(\.json)))])) }
            guard !reply.jobs.isEmpty else { return try console.print("No jobs are running.") }
            try console.print(StatusReport(reply: reply).jobs.render(width: console.width, style: console.style))
        }
    }
}
