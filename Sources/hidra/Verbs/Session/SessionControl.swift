import ArgumentParser
import HidraClient
import HidraProtocol

struct SessionPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Pause a session within one step, with a checkpoint.",
        discussion: """
            It stays paused, also when the daemon starts anew, until `hidra session resume`.

            EXAMPLE:
              hidra session pause triage

            EXIT CODES: 0 it is paused, 2 wrong arguments, 3 no such session, 5 it has ended, 6 the daemon cannot be reached, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Name of a session.", valueName: "name"))
    var name: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let reply = try await session.client.controlSession(name, .pause)
            let step = reply.session.checkpointStep
            try SessionState.report(reply, "is \(reply.session.state) at step \(Format.count(step))", session.console)
        }
    }
}

struct SessionResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a paused session go on from its last checkpoint.",
        discussion: """
            A session that was running when the daemon ended needs no resume: it goes on by itself. The data files are compared with what \
            the session was started with, where they are still to be found; one that was edited is refused with both digests.

            EXAMPLE:
              hidra session resume triage

            EXIT CODES: 0 it runs, 2 wrong arguments, 3 no such session, 5 data or an encoder has changed or it has ended, 6 the daemon \
            cannot be reached, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Name of a session.", valueName: "name"))
    var name: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let files = try SessionDocument.present(try await session.client.session(name))
            try SessionState.report(try await session.client.controlSession(name, .resume, files: files), "runs", session.console)
        }
    }
}

struct SessionCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "End a session within one step. Nothing of it is registered.",
        discussion: """
            EXAMPLE:
              hidra session cancel triage

            EXIT CODES: 0 it is cancelled, 2 wrong arguments, 3 no such session, 5 it has ended, 6 the daemon cannot be reached, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Name of a session.", valueName: "name"))
    var name: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            try SessionState.report(try await session.client.controlSession(name, .cancel), "is cancelled", session.console)
        }
    }
}

struct SessionRm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Forget sessions that do not run, and their files. What they made stays.",
        discussion: """
            EXAMPLE:
              hidra session rm triage

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such session, 5 it runs, 6 the daemon cannot be reached, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Names of sessions.", valueName: "name"))
    var names: [String]

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            for name in names {
                let reply = try await session.client.controlSession(name, .remove)
                try SessionState.report(reply, "is forgotten; \(Format.bytes(reply.bytesFreed)) are free again", session.console)
            }
        }
    }
}

/// What the verbs that change a session say of it.
enum SessionState {
    static func report(_ reply: Hidra_V1_ControlSessionReply, _ what: String, _ console: Console) throws {
        if console.json {
            return try console.print(
                .event("result", [("session", reply.session.json), ("bytes_freed", .unsigned(reply.bytesFreed))]))
        }
        try console.print("Session \(console.style.bold(reply.session.name)) \(what).")
    }
}
