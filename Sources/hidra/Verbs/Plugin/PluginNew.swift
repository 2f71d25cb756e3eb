import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol
import PluginHost

struct PluginNew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Write a plugin to start from.",
        discussion: """
            Makes a folder with a plugin that builds, is tested and trains a head as it is: plugin.yaml, code, a small data set, a test and \
            a README. No daemon is needed.

            EXAMPLE:
              hidra plugin new sorter --language python
              hidra plugin new sorter --language swift -o ~/plugins/sorter --sdk ~/hidra

            EXIT CODES: 0 done, 2 wrong arguments, 3 no checkout of hidra, 5 the folder exists.
            """)

    @Argument(help: ArgumentHelp("Name of the plugin and of the head it makes.", valueName: "name"))
    var name: String

    @Option(help: ArgumentHelp("swift, python or c.", valueName: "language"))
    var language: Scaffold.Language

    @Option(name: [.short, .long], help: ArgumentHelp("Folder to make (default: NAME).", valueName: "dir"), completion: .directory)
    var output: String?

    @Option(
        help: ArgumentHelp("A checkout of hidra, for its SDKs (default: that of this program).", valueName: "path"), completion: .directory)
    var sdk: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard PluginManifest.isName(name) else {
            throw ValidationError(
                "'\(name)' cannot be a plugin's name: use 1 to 64 letters (a–z, A–Z), digits, dots, dashes and underscores, starting with a "
                    + "letter or a digit.")
        }
    }

    func run() async throws {
        let sdk = try Self.checkout(sdk)
        let folder = Paths.absolute(output ?? name)
        guard !FileManager.default.fileExists(atPath: folder) else {
            throw HidraError(.alreadyExists, "\(folder) exists. Choose another name, or another folder with -o.", details: ["file": folder])
        }
        let scaffold = Scaffold(language, name: name, sdk: sdk)
        for file in scaffold.files { try write(file.text, folder + "/" + file.path) }
        let console = Console(json: common.json)
        if console.json {
            return try console.print(
                .event(
                    "result",
                    [
                        ("name", .string(name)), ("language", .string(language.rawValue)), ("directory", .string(folder)),
                        ("files", .strings(scaffold.files.map(\.path))), ("sdk", .string(sdk)),
                    ]))
        }
        try console.print(
            """
            \(console.style.bold(name)) is in \(folder): \(Format.list(scaffold.files.map(\.path))).

              cd \(Shell.quoteIfNeeded(folder))
              \(scaffold.build)
              hidra plugin test .
              hidra plugin install . && hidra plugin start \(name) --wait
            """)
    }

    private func write(_ text: String, _ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: path))
        } catch {
            throw HidraError(.invalidArgument, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    /// The checkout that was named, or that this program was built in.
    private static func checkout(_ named: String?) throws -> String {
        func isCheckout(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path + "/Sources/CHidraPlugin/Makefile") }
        if let named {
            let path = Paths.absolute(named)
            guard isCheckout(path) else { throw HidraError(.notFound, "\(path) is no checkout of hidra: it has no Sources/CHidraPlugin.") }
            return path
        }
        var folder = URL(filePath: Paths.executable ?? "/")
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            if isCheckout(folder.path) { return folder.path }
        }
        throw HidraError(.notFound, "This program does not lie in a checkout of hidra: name one with --sdk, for its SDKs.")
    }
}

extension Scaffold.Language: ExpressibleByArgument {}
