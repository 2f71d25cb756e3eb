import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol
import Tables

struct Cluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Group rows without labels, as a proposal for labels.",
        discussion: """
            Groups the texts of a table by their embeddings (k-means), proposes a name for each group from the words that tell it from \
            the others, and shows the rows nearest to its centre. With -o the rows are written as CSV with two more columns, the \
            group's name and the distance from its centre: rename, correct, and train on it.

            EXAMPLE:
              hidra cluster tickets.csv --text message --encoder minilm
              hidra cluster tickets.csv --text message --encoder minilm -k 12 -o groups.csv

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such encoder, 4 bad data, 7 time-out, 8 cancelled.
            """)

    @Argument(help: ArgumentHelp("Table with the rows, or \"-\".", valueName: "file"), completion: .file())
    var file: String

    @Option(help: ArgumentHelp("Column with the texts.", valueName: "column"))
    var text: String

    @Option(help: ArgumentHelp("Encoder; `hidra ls` lists them.", valueName: "name"))
    var encoder: String

    @Option(
        name: [.customShort("k"), .customLong("clusters")],
        help: ArgumentHelp("Groups; \"auto\" finds their number by the silhouette.", valueName: "n|auto"))
    var clusters: ClusterCount = .auto

    @Option(name: .shortAndLong, help: ArgumentHelp("CSV to write.", valueName: "file"), completion: .file())
    var output: String?

    @Option(help: "Format of a table whose name does not tell, or that comes through a pipe.")
    var format: FormatOption?

    @Option(help: ArgumentHelp("Tap of the encoder to read (default: the top).", valueName: "tap"))
    var tap: String = ""

    @Option(help: ArgumentHelp("Seed of the beginnings (default: 0).", valueName: "n"))
    var seed: UInt64 = 0

    @OptionGroup var precision: PrecisionOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if file == TableInput.standardInput, format == nil { throw TableInput.needsFormat }
    }

    func run() async throws {
        let table = try await TableInput.read(file, format: format), texts = try table.column(text)
        try await Session.run(common, cancelled: "Cancelled: the daemon was told to stop the job.") { session in
            var request = Hidra_V1_ClusterRequest()
            request.encoder = encoder
            request.data = try await session.client.upload(columns: [UploadColumn("text", texts)])
            request.inputColumn = "text"
            if case .fixed(let count) = clusters { request.clusters = count }
            request.seed = seed
            request.tap = tap
            request.precision = precision.wire
            let final = request
            let (reply, seen) = try await session.job { try await session.client.cluster(final, progress: $0) }
            if let output { try write(reply, table, to: output) }
            let console = session.console
            if console.json { return try console.print(reply.json(texts)) }
            try console.print(ClusterReport(reply: reply, texts: texts).render(width: console.width, style: console.style))
            for note in reply.notes where !seen.contains(note) { try console.note(note) }
            if let output { try console.print("Wrote \(output).") }
        }
    }

    /// The table with two more columns.
    private func write(_ reply: Hidra_V1_ClusterReply, _ table: Table, to path: String) throws {
        let names = table.columns, own = ["cluster", "distance"].map { name in
            // Not over a column that is there.
            names.contains(name) ? "hidra_\(name)" : name
        }
        var lines = [CSVLine.text(names + own)]
        let columns = try names.map { try table.column($0) }
        for row in reply.assignment.indices {
            let cluster = Int(reply.assignment[row])
            let name = reply.clusters.indices.contains(cluster) ? reply.clusters[cluster].title(cluster) : ""
            let distance = reply.distances[row].isFinite ? "\(reply.distances[row])" : ""
            lines.append(CSVLine.text(columns.map { $0[row] } + [name, distance]))
        }
        do {
            try Data(lines.joined().utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw HidraError(.invalidArgument, "\(path) cannot be written: \(error.localizedDescription)", cause: error)
        }
    }
}

/// A line of CSV (RFC 4180).
enum CSVLine {
    static func text(_ cells: [String]) -> String {
        cells.map { cell in
            // By scalars: "\r\n" is one character.
            cell.unicodeScalars.contains { ",\"\n\r".unicodeScalars.contains($0) } ? "\"\(cell.replacing("\"", with: "\"\""))\"" : cell
        }.joined(separator: ",") + "\n"
    }
}

/// The value of `-k`.
enum ClusterCount: ExpressibleByArgument, Sendable, Equatable, CustomStringConvertible {
    case auto
    case fixed(UInt32)

    init?(argument: String) {
        if argument.lowercased() == "auto" {
            self = .auto
        } else if let count = UInt32(argument), count > 0 {
            self = .fixed(count)
        } else {
            return nil
        }
    }

    var description: String {
        switch self {
        case .auto: "auto"
        case .fixed(let count): "\(count)"
        }
    }
}
