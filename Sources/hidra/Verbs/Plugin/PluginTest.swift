import ArgumentParser
import HidraClient
import HidraProtocol
import Tables

struct PluginTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run a plugin against a daemon of its own, and say what it does not do.",
        discussion: """
            Starts a daemon in a temporary home with the encoders that plugin.yaml names, taken from your home; installs the plugin there, \
            runs it, kills it, stops it. Your daemon and your heads are not touched. One line for each check.

            EXAMPLE:
              hidra plugin test ./sorter
              hidra plugin test sorter --patience 600

            EXIT CODES: 0 all passed, 1 something failed, 2 wrong arguments, 3 no such plugin, folder or encoder, 6 no daemon, 7 time-out.
            """)

    @Argument(help: ArgumentHelp("Name of an installed plugin, or a plugin's folder.", valueName: "name|dir"))
    var plugin: String

    @Option(help: ArgumentHelp("How long it may take to make its heads (default: 300).", valueName: "seconds"))
    var patience: Double = 300

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard patience > 0, patience.isFinite else { throw ValidationError("--patience takes seconds above 0; it was \(patience).") }
    }

    func run() async throws {
        let console = Console(json: common.json)
        let folder = try await folder()
        let patience = Duration.seconds(patience)
        let tally = try await Interruption.run(deadline: common.timeout) {
            let bench = try PluginBench(folder: folder, patience: patience)
            do {
                let tally = try await check(bench, console)
                await bench.tearDown()
                return tally
            } catch {
                await bench.tearDown()
                throw error
            }
        }
        if console.json {
            try console.print(
                .event(
                    "result",
                    [
                        ("passed", .integer(Int64(tally.passed))), ("failed", .integer(Int64(tally.failed))),
                        ("skipped", .integer(Int64(tally.skipped))),
                    ]))
        } else {
            try console.print("\(tally.passed) passed, \(tally.failed) failed" + (tally.skipped > 0 ? ", \(tally.skipped) skipped" : ""))
        }
        if tally.failed > 0 { throw ExitCode(1) }
    }

    private struct Tally {
        var passed = 0, failed = 0, skipped = 0
    }

    /// All checks, in their order. What a failed one was needed for is skipped.
    private func check(_ bench: PluginBench, _ console: Console) async throws -> Tally {
        var tally = Tally(), isBroken = false
        for check in PluginCheck.all {
            var result = PluginCheck.Outcome.skipped("an earlier check failed")
            let start = ContinuousClock.now
            if !isBroken {
                do { result = try await check.run(bench) } catch is CancellationError { throw CancellationError() } catch {
                    result = .failed(Failure(error).message)
                }
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            switch result {
            case .passed: tally.passed += 1
            case .skipped: tally.skipped += 1
            case .failed:
                tally.failed += 1
                isBroken = isBroken || check.isNeeded
            }
            try console.json
                ? console.print(result.json(check.name, seconds)) : console.print(result.text(check.name, seconds, style: console.style))
        }
        if tally.failed > 0, !console.json {
            let lines = await bench.log(lines: 12)
            if !lines.isEmpty { try console.print("\nThe end of its log:\n" + lines.map { "  \($0)\n" }.joined()) }
        }
        return tally
    }

    /// The folder that was given, or that of the installed plugin.
    private func folder() async throws -> String {
        let path = Paths.absolute(plugin)
        if Paths.isDirectory(path) { return path }
        guard !Paths.isFolder(plugin) else { throw HidraError(.notFound, "There is no folder \(path).") }
        let plugins = try await Session.run(common) { try await $0.client.listPlugins() }
        if let installed = plugins.first(where: { $0.name == plugin }) { return installed.directory }
        let guess = nearest(plugin, in: plugins.map(\.name))
        throw HidraError(
            .notFound,
            "There is neither a folder nor an installed plugin '\(plugin)'."
                + (guess.map { " Did you mean `\($0)`?" } ?? " `hidra plugin ls` lists plugins."))
    }
}
