import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol
import Sessions

struct SessionInit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a session document to start from, guessed from tables.",
        discussion: """
            Looks for a column of texts, and makes a head of every other column that may hold labels: classes, several labels with \
            "|" between them, numbers, or a label for each word. Each guess has its reason in a comment. A file whose name says \
            "test", with the columns of another, becomes its test rows. No daemon is asked.

            EXAMPLE:
              hidra session init tickets.csv -o session.yaml
              hidra session init train.csv test.csv --encoder minilm

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such file, 4 nothing to learn in it, 5 the output exists (see --force), 9 disk full.
            """)

    @Argument(help: ArgumentHelp("Tables, .csv, .tsv or .jsonl.", valueName: "file"), completion: .file())
    var files: [String]

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Document to write (default: standard output).", valueName: "session.yaml"), completion: .file())
    var output: String?

    @Option(help: ArgumentHelp("Encoder of the heads.", valueName: "name"))
    var encoder = "minilm"

    @Option(help: ArgumentHelp("Name of the session (default: after the first file).", valueName: "name"))
    var name: String?

    @Flag(help: "Overwrite the output.")
    var force = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let console = Console(json: common.json)
        if let output, !force, FileManager.default.fileExists(atPath: output) {
            throw HidraError(.alreadyExists, "\(output) exists. Add --force to overwrite it, or choose another name with -o.")
        }
        var tables: [SessionDraft.File] = []
        for file in files { tables.append(SessionDraft.File(path: path(of: file), table: try await TableInput.read(file, format: nil))) }
        let draft: SessionDraft
        do { draft = try SessionDraft(tables, name: name, encoder: encoder) } catch {
            throw HidraError(.invalidData, error.message, cause: error)
        }
        if let output {
            do { try Data(draft.text.utf8).write(to: URL(filePath: output), options: .atomic) } catch {
                throw HidraError(.diskFull, "\(output) cannot be written: \(error.localizedDescription)", cause: error)
            }
        }
        if common.json {
            return try console.print(
                .event(
                    "result",
                    [("document", .string(draft.text)), ("file", output.map { .string($0) } ?? .null), ("notes", .strings(draft.notes))]))
        }
        try console.print(output.map { "Wrote \($0). Look it over, then: hidra session validate \($0)" } ?? draft.text)
        for note in draft.notes { try console.note(note) }
    }

    /// The document's paths are relative to itself: one in another folder gets absolute ones.
    private func path(of file: String) -> String {
        guard let output, output.contains("/") else { return file }
        return URL(filePath: file).standardizedFileURL.path
    }
}
