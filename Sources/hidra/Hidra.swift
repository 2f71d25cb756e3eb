import ArgumentParser
import HidraProtocol

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The command line: parses, asks the daemon once, prints.
@main
struct Hidra: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "hidra",
        abstract: "Train and use many task heads on one shared pretrained encoder.",
        discussion: Overview.discussion,
        version: version,
        groupedSubcommands: [
            CommandGroup(
                name: "Encoders and heads",
                subcommands: [
                    Pull.self, Train.self, Predict.self, Embed.self, Eval.self, LearningCurve.self, Cluster.self, Suggest.self,
                    Quantize.self, Ls.self, Show.self, Rm.self,
                ]),
            CommandGroup(
                name: "Checks, records, pictures",
                subcommands: [CheckData.self, Compare.self, Cost.self, Plot.self, Export.self, Import.self]),
            CommandGroup(name: "Heads as graphs", subcommands: [Graph.self]),
            CommandGroup(name: "Sessions", subcommands: [SessionVerbs.self]),
            CommandGroup(name: "Encoders without labels", subcommands: [Pretrain.self, Latent.self]),
            CommandGroup(name: "Plugins", subcommands: [Plugin.self]),
            CommandGroup(
                name: "Daemon",
                subcommands: [
                    Start.self, Stop.self, Status.self, Ps.self, Events.self, Doctor.self, Keys.self,
                ]),
        ])

    /// `hidra` alone: the shortest way to a first result.
    func run() throws {
        try Console(json: false).print(Overview.short)
    }

    static func main() async {
        leave(await run(Array(CommandLine.arguments.dropFirst())))
    }

    /// Runs the command line `arguments` and returns the process's exit code.
    static func run(_ arguments: [String]) async -> Int32 {
        let console = Console(json: arguments.contains("--json"))
        do {
            try UnknownVerb.check(arguments)
            var command = try await asyncParseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch let code as ExitCode {
            // The verb has said all there is to say.
            return code.rawValue
        } catch {
            switch exitCode(for: error) {
            case .success: return tell(fullMessage(for: error), console)
            case .validationFailure: return report(Failure(usage: fullMessage(for: error)), console)
            default: return report(Failure(error), console)
            }
        }
    }

    /// Help and version, which reach us as errors too.
    private static func tell(_ text: String, _ console: Console) -> Int32 {
        do {
            try console.print(text)
            return 0
        } catch {
            return report(Failure(error), console)
        }
    }

    private static func report(_ failure: Failure, _ console: Console) -> Int32 {
        do {
            if console.json {
                try console.print(failure.json)
            } else {
                try console.errors.write(failure.text(style: console.errors.style))
            }
        } catch {
            // Nobody can be told; the exit code still says it.
            return failure.exitCode
        }
        return failure.exitCode
    }
}

/// `exit` of the C library: inside the command the name means the argument parser's.
private func leave(_ code: Int32) -> Never { exit(code) }
