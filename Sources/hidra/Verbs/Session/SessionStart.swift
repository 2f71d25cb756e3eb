import ArgumentParser
import HidraClient
import HidraProtocol
import Sessions

struct SessionStart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start a session. It goes on in the daemon.",
        discussion: """
            Returns when the session, and its own copy of the rows, is on the disk and it runs; with --watch, when it has ended.

            EXAMPLE:
              hidra session start triage.yaml
              hidra session start triage.yaml --watch

            EXIT CODES: 0 it runs (with --watch: it has finished), 2 to 10 as validate; 1 and 8 with --watch: the session failed, or was paused or \
            cancelled.
            """)

    @Argument(help: ArgumentHelp("The session document.", valueName: "file"), completion: .file(extensions: ["yaml", "yml", "json"]))
    var file: String

    @Flag(help: "Follow it, as `hidra session watch` does. Ctrl-C leaves it running.")
    var watch = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let document = try SessionDocument(file)
        try await Session.run(common, cancelled: "Not watching any more; the session goes on.") { session in
            var request = Hidra_V1_StartSessionRequest()
            request.document = document.text
            request.files = try await document.upload(session)
            let reply = try await session.client.startSession(request), console = session.console
            for note in reply.notes { try console.note(note) }
            if watch { return try await SessionWatch.follow(document.plan.name, session) }
            if console.json { return try console.print(.event("result", [("session", reply.session.json)])) }
            try console.print(
                "Session \(console.style.bold(reply.session.name)) runs.  hidra session watch \(Shell.quoteIfNeeded(reply.session.name))")
        }
    }
}
