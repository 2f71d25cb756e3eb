import ArgumentParser
import Tables

/// The argument parser calls a mistyped verb an "unexpected argument"; this names the verb that was probably meant.
enum UnknownVerb {
    static func check(_ arguments: [String]) throws {
        guard let verb = arguments.first, !verb.hasPrefix("-"), !names.contains(verb) else { return }
        let guess = nearest(verb, in: names)
        throw ValidationError(
            "There is no verb '\(verb)'." + (guess.map { " Did you mean 'hidra \($0)'?" } ?? "")
                + " `hidra --help` lists them.")
    }

    private static let names: [String] =
        Hidra.configuration.groupedSubcommands.flatMap { $0.subcommands }.compactMap { $0.configuration.commandName }
        + ["help"]
}
