import ArgumentParser
import HidraClient
import HidraProtocol
import Synchronization

struct SessionWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follow a session: curves of each head, throughput, cache hits, time left.",
        discussion: """
            Drawn anew several times a second in a terminal; elsewhere a line when something has changed. Ends when the session pauses or \
            ends; Ctrl-C leaves it running.

            EXAMPLE:
              hidra session watch triage
              hidra session watch triage --json | jq .session.step

            EXIT CODES: 0 it has finished, 1 it failed, 3 no such session, 6 the daemon cannot be reached, 7 time-out, 8 it was paused or \
            cancelled, or Ctrl-C.
            """)

    @Argument(help: ArgumentHelp("Name of a session.", valueName: "name"))
    var name: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common, cancelled: "Not watching any more; the session goes on.") { session in
            try await Self.follow(name, session)
        }
    }

    /// Until the session does not run any more; then what it came to.
    static func follow(_ name: String, _ session: Session) async throws {
        let console = session.console
        let view = Mutex(SessionView(style: console.output.style, redraws: console.output.canRedraw && !console.json))
        let failure = Mutex<(any Error)?>(nil)
        let final = try await session.client.watchSession(name, interval: console.output.canRedraw ? 100 : 500) { progress in
            do {
                if console.json { return try console.print(.event("progress", progress.members)) }
                try console.output.write(view.withLock { $0.update(progress, width: console.width ?? 100) })
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        if console.json {
            try console.print(.event("result", [("session", final.json)]))
        } else {
            try console.output.write(view.withLock { $0.finish(final) })
        }
        switch final.state {
        case "finished": return
        case "failed": throw HidraError(.internalError, "Session '\(name)' failed: \(final.message)")
        default: throw HidraError(.interrupted, "Session '\(name)' is \(final.state). \(final.message)")
        }
    }
}
