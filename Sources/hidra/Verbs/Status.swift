import ArgumentParser
import HidraClient
import HidraProtocol

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Tell whether the daemon runs, and what it holds.",
        discussion: """
            Does not start a daemon.

            EXAMPLE:
              hidra status

            EXIT CODES: 0 it runs, 2 wrong arguments, 6 it does not run, 7 time-out.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        do {
            try await Session.run(common, startDaemon: false) { session in
                let reply = try await session.client.status()
                let console = session.console
                if console.json { return try console.print(.event("result", reply.members)) }
                try console.print(StatusReport(reply: reply).render(width: console.width, style: console.style))
            }
        } catch let error as HidraError where error.code == .unavailable {
            let console = Console(json: common.json)
            let home = Home.default.path
            if common.json {
                try console.print(.event("result", [("running", .bool(false)), ("home", .string(home))]))
            } else {
                try console.print(
                    "No hidrad runs for \(home). It starts by itself when a verb needs it, or with `hidra start`.")
            }
            throw ExitCode(ErrorCode.unavailable.exitCode)
        }
    }
}
