import ArgumentParser
import HidraClient
import HidraProtocol

struct Pull: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetch an encoder, verify it and register it.",
        discussion: """
            SOURCE is a name of the catalogue, a repository of the Hugging Face hub, or a folder with config.json, \
            model.safetensors and tokenizer.json. Every file is checked against its SHA-256 before it is used; an \
            interrupted download goes on where it stopped. A token for the hub is taken from HF_TOKEN.

            EXAMPLE:
              hidra pull minilm
              hidra pull ./my-encoder --name mine
              hidra pull hf:sentence-transformers/all-MiniLM-L6-v2@main --name minilm-main

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such source, 5 the name is taken, 7 time-out, 8 cancelled, \
            9 disk full, 10 corrupt or unsupported files.
            """)

    @Argument(help: ArgumentHelp("Catalogue name, hf:ORG/NAME[@REVISION], or path of a folder.", valueName: "source"))
    var source: String

    @Option(help: "Name to register the encoder under.")
    var name: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        var request = Hidra_V1_PullRequest()
        request.source = Paths.isFolder(source) ? Paths.absolute(source) : source
        request.name = name ?? ""
        let environment = Environment.process
        request.token = environment["HF_TOKEN"] ?? environment["HUGGING_FACE_HUB_TOKEN"] ?? ""
        let final = request
        try await Session.run(
            common,
            cancelled:
                "Cancelled: the daemon was told to stop. What has arrived is kept; the same command resumes it."
        ) { session in
            let (reply, _) = try await session.job { try await session.client.pull(final, progress: $0) }
            let console = session.console
            if console.json {
                return try console.print(
                    .event("result", [("fetched", .bool(reply.fetched)), ("encoder", reply.encoder.json)]))
            }
            let encoder = reply.encoder
            let verb = reply.fetched ? "Registered" : "Already registered:"
            try console.print(
                "\(verb) \(console.style.bold(encoder.name)): \(encoder.architecture), "
                    + "\(Format.parameters(encoder.parameters)) parameters (\(Format.bytes(encoder.bytes))), "
                    + "width \(encoder.width), reads \(encoder.modality)s"
                    + (encoder.maxTokens > 0 ? " of at most \(encoder.maxTokens) tokens" : "")
                    + (encoder.licence.isEmpty ? "" : ", licence \(encoder.licence)"))
            let name = Shell.quoteIfNeeded(encoder.name)
            let rows = encoder.modality == "image" ? "FOLDER --image" : "FILE.csv --text COLUMN --label COLUMN"
            try console.print("\nTrain a head:  hidra train \(rows) --encoder \(name) --name HEAD")
        }
    }
}
