import ArgumentParser
import Tables

/// The argument parser calls a mistyped verb an "unexpected argument"; this names the verb that was probably meant.
enum UnknownVerb {
    static func check(_ arguments: [String]) throws {
        guard let verb = arguments.first, !verb.hasPrefix("-") else { return }
        guard !names.contains(verb) else { return try checkSecond(arguments) }
        let guess = nearest(verb, in: names)
        throw ValidationError(
            "There is no verb '\(verb)'." + (guess.map { " Did you mean 'hidra \($0)'?" } ?? "")
                + " `hidra --help` lists them.")
    }

    /// The same for a verb of a verb: `hidra plugin strat`.
    private static func checkSecond(_ arguments: [String]) throws {
        guard let first = arguments.first, let verb = arguments.dropFirst().first, !verb.hasPrefix("-"),
            let group = Hidra.configuration.groupedSubcommands.flatMap({ $0.subcommands }).first(where: { $0.configuration.commandName == first })
        else { return }
        let names = group.configuration.subcommands.compactMap { $0.configuration.commandName }
        guard !names.isEmpty, !names.contains(verb) else { return }
        let guess = nearest(verb, in: names)
        throw ValidationError(
            "There is no verb '\(first) \(verb)'." + (guess.map { " Did you mean 'hidra \(first) \($0)'?" } ?? "")
                + " `hidra \(first) --help` lists them.")
    }

    private static let names: [String] =
        Hidra.configuration.groupedSubcommands.flatMap { $0.subcommands }.compactMap { $0.configuration.commandName }
        + ["help"]
}
