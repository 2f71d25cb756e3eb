import ArgumentParser

/// Several heads trained together.
struct SessionVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: "Documents that say what is to be trained together.",
        discussion: """
            EXAMPLE:
              hidra session init tickets.csv -o session.yaml
            """,
        subcommands: [SessionInit.self, SessionCompare.self])
}
