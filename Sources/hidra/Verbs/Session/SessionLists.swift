import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol

struct SessionLs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List sessions, the latest first.",
        discussion: """
            EXAMPLE:
              hidra session ls

            EXIT CODES: 0 done, 2 wrong arguments, 6 the daemon cannot be reached, 7 time-out.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let sessions = try await session.client.listSessions(), console = session.console
            if console.json { return try console.print(.event("result", [("sessions", .array(sessions.map(\.json)))])) }
            guard !sessions.isEmpty else { return try console.print("No sessions. `hidra session init FILE` writes a document to start from.") }
            try console.print(SessionListing(sessions: sessions, now: Date().timeIntervalSince1970).render(width: console.width, style: console.style))
        }
    }
}

struct SessionShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a session: state, heads, curves, data and what happened to it.",
        discussion: """
            EXAMPLE:
              hidra session show triage

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such session, 6 the daemon cannot be reached, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Name of a session.", valueName: "name"))
    var name: String

    @Flag(help: "Print the document it was started with, and nothing else.")
    var document = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let found = try await session.client.session(name), console = session.console
            if document, !console.json { return try console.print(found.document) }
            if console.json { return try console.print(.event("result", [("session", found.json)])) }
            try console.print(SessionReport(session: found, now: Date().timeIntervalSince1970).render(style: console.style))
        }
    }
}
