import ArgumentParser

/// Keys of clients that connect from other machines.
struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Make, list and revoke the keys of clients on other machines.",
        discussion: """
            A daemon that was started with `hidrad --listen tcp://HOST:PORT` serves clients on other machines too, each with a key of \
            its own. Everything between them is encrypted. Clients on this machine need no key.
            """,
        subcommands: [KeysNew.self, KeysList.self, KeysRevoke.self])
}
