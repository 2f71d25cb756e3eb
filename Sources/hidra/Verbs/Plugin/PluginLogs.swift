import ArgumentParser
import HidraClient
import HidraProtocol
import Synchronization

struct PluginLogs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Print what a plugin has printed.",
        discussion: """
            Standard output and error of the plugin and all it starts, and what the daemon did with it, each line with its time in UTC. \
            Of a plugin that prints too much too quickly lines are left out, and counted.

            EXAMPLE:
              hidra plugin logs sorter -f

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such plugin, 6 the daemon cannot be reached, 7 time-out, 8 ended by Ctrl-C.
            """)

    @Argument(help: ArgumentHelp("Name of an installed plugin.", valueName: "name"))
    var name: String

    @Flag(name: .shortAndLong, help: "Wait for new lines.")
    var follow = false

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("Lines of the past (default: 100).", valueName: "n"))
    var lines: Int = 100

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (1...100_000).contains(lines) else { throw ValidationError("--lines takes 1 to 100000; it was \(lines).") }
    }

    func run() async throws {
        try await Session.run(common) { session in
            // Printing may block, on a pager say: it must not hold up the client's thread.
            let (parts, feed) = AsyncStream<[String]>.makeStream()
            let dropped = Mutex<UInt64>(0)
            async let reading: Void = {
                defer { feed.finish() }
                let count = try await session.client.pluginLogs(name, lines: lines, follow: follow) { feed.yield($0) }
                dropped.withLock { $0 = count }
            }()
            for await part in parts { for line in part { try show(line, session.console) } }
            try await reading
            let count = dropped.withLock { $0 }
            if count > 0 { try session.console.note("\(Format.count(count, "line")) left out: the plugin printed too much too quickly.") }
        }
    }

    private func show(_ line: String, _ console: Console) throws {
        if console.json {
            try console.print(.event("log", [("plugin", .string(name)), ("line", .string(line))]))
        } else {
            try console.print(line)
        }
    }
}
