import ArgumentParser
import HidraClient
import HidraProtocol

struct PluginInstall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Install a plugin from its folder.",
        discussion: """
            The daemon takes a copy of the folder, which must have a plugin.yaml; names that begin with a dot are left out. Build the \
            plugin first. Installing runs nothing: `hidra plugin start` does.

            EXAMPLE:
              hidra plugin install ./sorter
              hidra plugin install ./sorter --replace

            EXIT CODES: 0 done, 2 wrong arguments or manifest, 3 no such folder or no plugin.yaml, 5 there is one of that name, \
            6 the daemon cannot be reached or speaks another protocol, 7 time-out, 9 the folder is too large.
            """)

    @Argument(help: ArgumentHelp("The plugin's folder.", valueName: "dir"), completion: .directory)
    var directory: String

    @Flag(help: "Take the place of an installed plugin of that name; if it runs, it is started again.")
    var replace = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let path = Paths.absolute(directory)
        guard Paths.isDirectory(path) else {
            throw HidraError(.notFound, "There is no folder \(path). `hidra plugin new NAME --language python` makes one with a plugin in it.")
        }
        try await Session.run(common) { session in
            let plugin = try await session.client.installPlugin(path, replace: replace)
            let console = session.console
            if console.json { return try console.print(.event("result", [("plugin", plugin.json)])) }
            try console.print(
                "Installed \(console.style.bold(plugin.name)) \(plugin.version) with role \(plugin.role), in \(plugin.directory)")
            try console.print("\nStart it:  hidra plugin start \(plugin.name)")
        }
    }
}
