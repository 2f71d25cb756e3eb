import ArgumentParser
import HidraClient
import HidraProtocol

struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start the daemon, unless it runs.",
        discussion: """
            There is no need to: every verb that wants the daemon starts it. One daemon serves each HIDRA_HOME.

            EXAMPLE:
              hidra start

            EXIT CODES: 0 it runs, 2 wrong arguments, 6 it could not be started, 7 time-out.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let common = common
        let before = try await DaemonPresence.processID(common)
        try await Session.run(common) { session in
            let welcome = session.client.welcome
            let already = before == welcome.processID
            let console = session.console
            if console.json {
                return try console.print(
                    .event(
                        "result",
                        [
                            ("started", .bool(!already)), ("process_id", .unsigned(UInt64(welcome.processID))),
                            ("daemon_version", .string(welcome.daemonVersion)),
                        ]))
            }
            try console.print(
                "hidrad \(welcome.daemonVersion) \(already ? "is already running" : "started"), "
                    + "process \(welcome.processID).")
        }
    }
}

/// Whether a daemon answers, without starting one.
enum DaemonPresence {
    /// Process id of the running daemon; nil when none answers.
    static func processID(_ options: CommonOptions) async throws -> UInt32? {
        do {
            return try await Session.run(options, startDaemon: false) { $0.client.welcome.processID }
        } catch let error as HidraError where error.code == .unavailable {
            return nil
        }
    }
}
