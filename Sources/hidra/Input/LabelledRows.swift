import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol
import Images
import Tables

/// Where `train` and `eval` take labelled rows from: a table with a column of texts, or with `--image` a folder, a tar archive
/// or a table with a column of paths.
struct LabelledRowsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Column with the texts; for a graph of several inputs once for each of them, in their order.", valueName: "column"))
    var text: [String] = []

    @Option(
        help: ArgumentHelp(
            "Column with the labels or numbers (with --image: \"label\" by default).", valueName: "column"))
    var label: String?

    @Flag(
        help: """
            The rows are images: FILE is a folder with a sub-folder for each label, a .tar or .tar.gz archive of one, or a table \
            with a column of paths.
            """)
    var image = false

    @Option(
        help: ArgumentHelp(
            "Column with the paths of images, relative to the table (default: path, file, filename or image).",
            valueName: "column"))
    var path: String?

    @Option(help: "Format of the files when their names do not tell.")
    var format: FormatOption?

    @Option(help: ArgumentHelp("Separates the labels of one cell (multilabel).", valueName: "text"))
    var labelSeparator: String = "|"

    func validate() throws {
        if image {
            if !text.isEmpty {
                throw ValidationError("--text names a column of texts; with --image it is --path, a column of paths.")
            }
        } else {
            if path != nil { throw ValidationError("--path names a column of images' paths; add --image.") }
            guard label != nil else {
                throw ValidationError("--label COLUMN is missing: the column with the labels or numbers.")
            }
        }
        if let label, text.contains(label) {
            throw ValidationError("--text and --label name the same column, '\(label)'.")
        }
        if let twice = text.first(where: { name in text.count { $0 == name } > 1 }) {
            throw ValidationError(
                "--text names column '\(twice)' twice. For two inputs of a graph that read one column: --input NAME=\(twice).")
        }
    }

    /// Checks what only the whole command tells.
    ///
    /// - Parameter inputs: columns that another option names instead of --text.
    func validate(files: [String], inputs: [String] = []) throws {
        if inputs.isEmpty, text.isEmpty, !image {
            throw ValidationError("--text COLUMN is missing: the column with the texts. For images: --image.")
        }
        if image, let other = inputs.first(where: { $0 != "image" }) {
            throw ValidationError("With --image the only column is \"image\": NAME=image, not NAME=\(other).")
        }
        if !image, let label, inputs.contains(label) {
            throw ValidationError("--input and --label name the same column, '\(label)'.")
        }
        if files.count(where: { $0 == TableInput.standardInput }) > 1 {
            throw ValidationError("Only one of the files can be standard input.")
        }
        if format == nil, files.contains(TableInput.standardInput) { throw TableInput.needsFormat }
    }

    /// Names of the columns as they are uploaded.
    var inputColumns: [String] { image ? ["image"] : text }
    var labelColumn: String { image ? "label" : label ?? "" }
    var nameColumn: String { image ? "path" : "" }

    /// Reads a table of texts, or finds out how to read images: before the daemon is asked for anything.
    ///
    /// - Parameter inputs: columns that another option names instead of --text.
    func open(_ file: String, inputs: [String] = []) async throws -> LabelledRows {
        guard image else {
            let table = try await TableInput.read(file, format: format)
            let columns = try (inputs.isEmpty ? inputColumns : inputs).map { ($0, try table.column($0)) }
            return .texts(
                columns.map { UploadColumn($0.0, $0.1) } + [UploadColumn(labelColumn, try table.column(labelColumn))],
                sample: columns.compactMap(\.1.first))
        }
        if Paths.isDirectory(file) || ImageCollections.isArchive(URL(filePath: file)) {
            return .images(.collection(URL(filePath: file)))
        }
        let table = try await TableInput.read(file, format: format)
        let names = ["path", "file", "filename", "image"].filter(table.columns.contains)
        guard let column = path ?? (names.count == 1 ? names.first : nil) else {
            throw HidraError(
                .invalidArgument,
                "\(file): name the column with the images' paths with --path. Columns: \(table.columns.joined(separator: ", "))."
            )
        }
        let folder =
            file == TableInput.standardInput ? URL(filePath: ".") : URL(filePath: file).deletingLastPathComponent()
        return .images(
            .list(paths: try table.column(column), labels: try table.column(label ?? "label"), relativeTo: folder))
    }
}

/// Labelled rows on their way to the daemon.
enum LabelledRows: Sendable {
    case texts([UploadColumn], sample: [String])
    case images(ImageSource)

    /// Sends the rows. Images are read, and sent, a few at a time; those that cannot be read are named and left out.
    ///
    /// - Returns: the data set's name, and a row's inputs to try the head with.
    func upload(_ session: Session) async throws -> (data: String, sample: [String]) {
        switch self {
        case .texts(let columns, let sample): return (try await session.client.upload(columns: columns), sample)
        case .images(let source): return try await Self.upload(source, session)
        }
    }

    private static func upload(_ source: ImageSource, _ session: Session) async throws -> (
        data: String, sample: [String]
    ) {
        let collection = try source.open(), data = HidraClient.newDataName()
        var sent = 0, sample: String?
        var chunk = ImageChunk()
        while let image = try collection.next() {
            guard let label = image.label else {
                collection.report(
                    ImageProblem(name: image.name, reason: "it lies in no folder that would name its label"))
                continue
            }
            if sample == nil { sample = source.path(of: image.name) }
            chunk.add(image, label)
            guard chunk.bytes >= ImageChunk.target else { continue }
            try await session.client.append(chunk.columns, to: data, after: sent)
            sent += chunk.count
            chunk = ImageChunk()
        }
        guard sent + chunk.count > 0 else {
            try report(collection.summary, session.console)
            throw HidraError(.invalidData, "There is no labelled image. A folder needs a sub-folder for each label.")
        }
        if chunk.count > 0 { try await session.client.append(chunk.columns, to: data, after: sent) }
        try report(collection.summary, session.console)
        return (data, sample.map { [$0] } ?? [])
    }

    private static let listed = 20

    private static func report(_ summary: CollectionSummary, _ console: Console) throws {
        for problem in summary.problems.prefix(listed) { try console.note(problem.description) }
        if !summary.problems.isEmpty || summary.otherFiles > 0 { try console.note("\(summary).") }
    }
}

/// Images of one upload message.
private struct ImageChunk {
    /// Bytes: small beside the daemon's limit on a message.
    static let target = 4 << 20

    private var names: [String] = [], labels: [String] = [], files: [Data] = []
    private(set) var bytes = 0

    var count: Int { files.count }

    mutating func add(_ image: LabelledImage, _ label: String) {
        names.append(image.name)
        labels.append(label)
        files.append(image.bytes)
        bytes += image.bytes.count
    }

    var columns: [UploadColumn] {
        [UploadColumn("image", files: files), UploadColumn("label", labels), UploadColumn("path", names)]
    }
}

/// Where images come from.
enum ImageSource: Sendable {
    /// A folder, or an archive of one.
    case collection(URL)
    case list(paths: [String], labels: [String], relativeTo: URL)

    func open() throws -> any ImageCollection {
        do throws(ImageError) {
            switch self {
            case .collection(let url): return try ImageCollections.open(url)
            case .list(let paths, let labels, let folder):
                return ImageList(paths: paths, labels: labels, relativeTo: folder)
            }
        } catch {
            throw HidraError(error.code == .notFound ? .notFound : .invalidData, error.description, cause: error)
        }
    }

    /// How the file is found from here; nil within an archive.
    func path(of name: String) -> String? {
        switch self {
        case .collection(let url) where ImageCollections.isArchive(url): nil
        case .collection(let url), .list(_, _, let url): url.relativePath == "." ? name : "\(url.relativePath)/\(name)"
        }
    }
}
