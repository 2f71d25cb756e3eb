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

struct PluginLs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List plugins.",
        discussion: """
            The state is stopped, starting, running, waiting (to be started again after a crash) or failed (it crashed too often).

            EXAMPLE:
              hidra plugin ls

            EXIT CODES: 0 done, 2 wrong arguments, 6 the daemon cannot be reached, 7 time-out.
            """)

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let plugins = try await session.client.listPlugins()
            let console = session.console
            if console.json { return try console.print(.event("result", [("plugins", .array(plugins.map(\.json)))])) }
            guard !plugins.isEmpty else {
                return try console.print(
                    "No plugins yet. Write one: `hidra plugin new NAME --language python`; install one: `hidra plugin install DIR`.")
            }
            try console.print(PluginListing(plugins: plugins, now: Double(time(nil))).render(width: console.width, style: console.style))
        }
    }
}
