import ArgumentParser
import HidraClient
import HidraProtocol

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check the installation and say what to mend.",
        discussion: """
            Does not start a daemon; asks the one that runs. Each line is ok, warn or fail, with what to do about it.

            EXAMPLE:
              hidra doctor

            EXIT CODES: 0 nothing failed, 1 something failed, 2 wrong arguments, 7 time-out.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let console = Console(json: common.json)
        let failed = try await Interruption.run(deadline: common.timeout) {
            let home = Home.default
            let environment = Environment.process
            var checks = [LocalChecks.home(home.path), LocalChecks.sockets(Endpoints.current(home))]
            try show(checks, console)
            let program = await DaemonProgram.check(environment: environment)
            try show([program], console)
            let daemon = await DaemonChecks.run(home: home)
            try show(daemon, console)
            let python = LocalChecks.python(path: environment["PATH"])
            try show([python], console)
            checks += [program] + daemon + [python]
            let failed = checks.count { $0.outcome == .fail }
            let warned = checks.count { $0.outcome == .warn }
            try summarise(failed: failed, warned: warned, console)
            return failed
        }
        if failed > 0 { throw ExitCode(1) }
    }

    private func show(_ checks: [Check], _ console: Console) throws {
        for check in checks {
            if console.json {
                try console.print(check.json)
            } else {
                try console.print(check.text(style: console.style))
            }
        }
    }

    private func summarise(failed: Int, warned: Int, _ console: Console) throws {
        if console.json {
            let members: [(String, JSON)] = [
                ("failed", .integer(Int64(failed))), ("warnings", .integer(Int64(warned))),
            ]
            return try console.print(.event("result", members))
        }
        let findings = [
            failed > 0 ? Format.count(UInt64(failed), "failure") : "",
            warned > 0 ? Format.count(UInt64(warned), "warning") : "",
        ].filter { !$0.isEmpty }
        try console.print(findings.isEmpty ? "\nAll is well." : "\n\(Format.list(findings)).")
    }
}
