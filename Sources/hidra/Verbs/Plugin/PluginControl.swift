import ArgumentParser
import HidraClient
import HidraProtocol

struct PluginStart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start a plugin, now and whenever the daemon starts.",
        discussion: """
            Done when it has said hello; with --wait, when the heads it makes are there.

            EXAMPLE:
              hidra plugin start sorter --wait

            EXIT CODES: 0 it runs, 2 wrong arguments, 3 no such plugin, 6 it did not start, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Name of an installed plugin.", valueName: "name"))
    var name: String

    @Flag(help: "Wait until the heads it makes are there.")
    var wait = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let plugin = try await session.client.controlPlugin(name, .start)
            try await PluginState.report(plugin, "is running", wait: wait, session)
        }
    }
}

struct PluginStop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop a plugin. Heads it made stay.",
        discussion: """
            It is told goodbye; if it does not leave it is ended, with all it has started. It stays stopped when the daemon starts again.

            EXAMPLE:
              hidra plugin stop sorter

            EXIT CODES: 0 it is stopped, 2 wrong arguments, 3 no such plugin, 6 the daemon cannot be reached, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Name of an installed plugin.", valueName: "name"))
    var name: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            try await PluginState.report(session.client.controlPlugin(name, .stop), "is stopped", session)
        }
    }
}

struct PluginRestart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Stop a plugin and start it again.",
        discussion: """
            EXAMPLE:
              hidra plugin restart sorter

            EXIT CODES: 0 it runs, 2 wrong arguments, 3 no such plugin, 6 it did not start, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Name of an installed plugin.", valueName: "name"))
    var name: String

    @Flag(help: "Wait until the heads it makes are there.")
    var wait = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            try await PluginState.report(session.client.controlPlugin(name, .restart), "is running", wait: wait, session)
        }
    }
}

struct PluginRm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Stop and remove plugins. Heads they made stay.",
        discussion: """
            EXAMPLE:
              hidra plugin rm sorter

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such plugin, 6 the daemon cannot be reached, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Names of installed plugins.", valueName: "name"))
    var names: [String]

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            for name in names { try await PluginState.report(session.client.controlPlugin(name, .remove), "is removed", session) }
        }
    }
}

/// What the verbs that change a plugin say of it.
enum PluginState {
    /// - Parameter wait: until the heads that it makes are there.
    static func report(_ plugin: Hidra_V1_Plugin, _ what: String, wait: Bool = false, _ session: Session) async throws {
        let console = session.console
        var missing = plugin.state == "running" ? try await missingHeads(plugin, session.client) : []
        if wait, !missing.isEmpty {
            if !console.json { try console.errors.write("\(plugin.name) makes \(Format.list(missing)) …\n") }
            missing = try await madeHeads(plugin, session.client)
        }
        if console.json { return try console.print(.event("result", [("plugin", plugin.json), ("missing_heads", .strings(missing))])) }
        let process = plugin.processID > 0 ? ", process \(plugin.processID)" : ""
        try console.print("\(console.style.bold(plugin.name)) \(what)\(process).")
        if !missing.isEmpty {
            try console.print(
                "It makes \(Format.list(missing)), which \(missing.count == 1 ? "is" : "are") not there yet: "
                    + "`hidra plugin logs \(plugin.name) -f` shows how far it is.")
        } else if wait, !plugin.heads.isEmpty {
            try console.print("Ask it:  hidra predict \(plugin.heads.joined(separator: ",")) \"some text\"")
        }
    }

    /// The heads of its manifest that are not there.
    static func missingHeads(_ plugin: Hidra_V1_Plugin, _ client: HidraClient) async throws -> [String] {
        guard !plugin.heads.isEmpty else { return [] }
        let there = Set(try await client.list().heads.map(\.name))
        return plugin.heads.filter { !there.contains($0) }
    }

    /// Waits for them. Returns none.
    private static func madeHeads(_ plugin: Hidra_V1_Plugin, _ client: HidraClient) async throws -> [String] {
        while true {
            let missing = try await missingHeads(plugin, client)
            if missing.isEmpty { return [] }
            let now = try await client.listPlugins().first { $0.name == plugin.name }
            guard let now, now.state == "running" || now.state == "starting" else {
                let why = now.map { $0.problem.isEmpty ? "it is \($0.state)" : $0.problem } ?? "it was removed"
                throw HidraError(
                    .unavailable,
                    "Plugin \(plugin.name) has not made \(Format.list(missing)): \(why). `hidra plugin logs \(plugin.name)` says more.")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
