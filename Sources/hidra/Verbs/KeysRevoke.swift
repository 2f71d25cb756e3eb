import ArgumentParser
import HidraClient
import HidraProtocol

struct KeysRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Admit a key no more, and end its connections.",
        discussion: """
            At once: requests under way are cancelled, data sets of its clients dropped. Heads that were trained with it stay, and its \
            name is free for a new key.

            EXAMPLE:
              hidra keys revoke ana

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such key, 6 no daemon or no right, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Key; `hidra keys ls` lists them.", valueName: "name"))
    var name: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let key = try await session.client.revokeKey(name), console = session.console
            if console.json { return try console.print(.event("result", [("key", key.json)])) }
            try console.print("Key '\(key.name)' is revoked.")
        }
    }
}
