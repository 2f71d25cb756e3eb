import ArgumentParser

/// Programs of others that the daemon runs.
struct Plugin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Install, run and write plugins.",
        discussion: """
            A plugin is a program of its own, in any language, that brings data and trains heads. The daemon runs it with limits, keeps \
            its log, and starts it again when it crashes; the heads it has made answer without it.

            EXAMPLE:
              hidra plugin new sorter --language python
              hidra plugin test ./sorter
              hidra plugin install ./sorter
              hidra plugin start sorter --wait
              hidra predict sorter "where is my parcel"
            """,
        subcommands: [
            PluginLs.self, PluginInstall.self, PluginStart.self, PluginStop.self, PluginRestart.self, PluginRm.self, PluginLogs.self,
            PluginTest.self, PluginNew.self,
        ])
}
