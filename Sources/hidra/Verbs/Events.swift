import ArgumentParser
import HidraClient
import HidraProtocol
import Synchronization

struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Print what happened in the daemon.",
        discussion: """
            Prints the events the daemon still remembers; with --follow it goes on with new \
            ones until Ctrl-C. Times are UTC.

            EXAMPLE:
              hidra events --follow
              hidra events --json | grep run.failed

            EXIT CODES: 0 done, 2 wrong arguments, 6 the daemon cannot be reached, 7 time-out, 8 ended by Ctrl-C.
            """)

    @Flag(name: .shortAndLong, help: "Wait for new events.")
    var follow = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let clock = QuietClock()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await event in session.client.events(from: 0) {
                        clock.touch()
                        try show(event, session.console)
                    }
                }
                if !follow { group.addTask { try await clock.quiet(for: Self.pause) } }
                // Either all is told, or the stream ended by itself.
                _ = try await group.next()
                group.cancelAll()
            }
        }
    }

    /// The past comes in one piece; after a pause this long it is told.
    private static let pause = Duration.milliseconds(300)

    private func show(_ event: Hidra_V1_Event, _ console: Console) throws {
        if common.json {
            try console.print(event.json)
        } else {
            try console.print(EventLine.text(event, style: console.style))
        }
    }
}

/// Tells when nothing has happened for a while.
private final class QuietClock: Sendable {
    private let last = Mutex(ContinuousClock.now)

    func touch() { last.withLock { $0 = .now } }

    func quiet(for pause: Duration) async throws {
        while true {
            let end = last.withLock { $0 } + pause
            if end <= .now { return }
            try await Task.sleep(until: end)
        }
    }
}
