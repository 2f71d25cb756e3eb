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

struct Stop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop the daemon.",
        discussion: """
            Running jobs may finish within the grace period; what has not finished by then is saved and marked \
            interrupted. Stopping a daemon that does not run is no error.

            EXAMPLE:
              hidra stop --grace 60

            EXIT CODES: 0 it does not run any more, 2 wrong arguments, 7 it did not stop in time.
            """)

    @Option(help: ArgumentHelp("Seconds running jobs get to finish.", valueName: "seconds"))
    var grace: Double = 10

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if !(grace >= 0 && grace.isFinite) {
            throw ValidationError("--grace takes seconds, 0 or more; it was \(grace).")
        }
    }

    func run() async throws {
        do {
            try await Session.run(common, startDaemon: false) { session in try await stop(session) }
        } catch let error as HidraError where error.code == .unavailable {
            let console = Console(json: common.json)
            if common.json { return try console.print(.event("result", [("was_running", .bool(false))])) }
            try console.print("No hidrad runs for \(Home.default.path).")
        }
    }

    private func stop(_ session: Session) async throws {
        let console = session.console
        let process = session.client.welcome.processID
        let began = ContinuousClock.now
        let reply = try await session.client.shutdown(grace: .seconds(grace))
        if reply.jobsFinishing > 0, !common.json {
            try console.note(
                "\(Format.count(UInt64(reply.jobsFinishing), "job")) may finish within \(Format.duration(grace)).")
        }
        // The daemon leaves only after its sockets are closed and its state is written.
        while process > 0, kill(pid_t(process), 0) == 0 || errno == EPERM {
            guard (ContinuousClock.now - began) / .seconds(1) < grace + Self.patience else {
                throw HidraError(
                    .timeout,
                    "hidrad (process \(process)) still runs \(Format.duration(Self.patience)) after its grace period. "
                        + "If it stays, end it with `kill \(process)`; finished heads are safe.")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        if common.json {
            let members: [(String, JSON)] = [
                ("was_running", .bool(true)), ("process_id", .unsigned(UInt64(process))),
                ("jobs_finishing", .unsigned(UInt64(reply.jobsFinishing))),
            ]
            return try console.print(.event("result", members))
        }
        try console.print("hidrad stopped.")
    }

    /// Seconds beyond the grace period in which it must have gone.
    private static let patience = 10.0
}
