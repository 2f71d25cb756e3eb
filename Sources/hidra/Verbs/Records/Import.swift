import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol

struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Register a head from a bundle that `hidra export HEAD -o FILE.hidra` wrote.",
        discussion: """
            Every file of the bundle is checked against its SHA-256. The encoder is not part of it: it must be registered here, \
            under whatever name, with the weights that the head was trained on; otherwise the error says what to pull. The \
            record of the head's run comes along, for `show`, `compare` and `plot`.

            EXAMPLE:
              hidra import intent.hidra
              hidra import intent.hidra --name intent-old

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such file, or the encoder is not here, 5 the name is taken (see --replace) or \
            the encoder of that name is another version, 7 time-out, 9 too large, 10 damaged or of a newer version.
            """)

    @Argument(help: ArgumentHelp("The bundle.", valueName: "file.hidra"), completion: .file(extensions: ["hidra"]))
    var file: String

    @Option(help: ArgumentHelp("Name of the head (default: the bundle's own).", valueName: "head"))
    var name: String = ""

    @Flag(help: "Replace a head of this name.")
    var replace = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let bundle: Data
        do {
            bundle = try Data(contentsOf: URL(filePath: file))
        } catch {
            throw HidraError(.notFound, "\(file) cannot be read: \(error.localizedDescription)", cause: error)
        }
        try await Session.run(common) { session in
            let reply: Hidra_V1_ImportBundleReply
            do {
                reply = try await session.client.importBundle(bundle, name: name, replace: replace)
            } catch var error as HidraError where error.code == .alreadyExists {
                error.message += " With --replace this command replaces it; with --name it takes another."
                throw error
            }
            let console = session.console
            if console.json {
                return try console.print(
                    .event(
                        "result", [("head", reply.head.json), ("imported", .bool(reply.imported)), ("notes", .strings(reply.notes))]))
            }
            try console.print(
                reply.imported
                    ? "Imported \(console.style.bold(reply.head.name)) on \(reply.head.encoder), \(Format.count(UInt64(reply.head.labels.count), "label"))."
                    : "\(reply.head.name) is there already, just as it is in \(file).")
            for note in reply.notes { try console.note(note) }
        }
    }
}
