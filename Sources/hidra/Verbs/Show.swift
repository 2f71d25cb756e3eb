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

struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show an encoder, a head or a run in full.",
        discussion: """
            EXAMPLE:
              hidra show minilm
              hidra show intent

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such encoder, head or run, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Name of an encoder or head, or id of a run.", valueName: "name"))
    var name: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let reply = try await session.client.show(name)
            let console = session.console
            let description = ItemDescription(reply: reply, now: Double(time(nil)))
            if console.json { return try console.print(try description.json) }
            try console.print(try description.render(width: console.width, style: console.style))
        }
    }
}
