import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol
import Tables

struct LatentInputs: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Images, folders, archives, tables of paths, or codes in a .npy file.", valueName: "path"), completion: .file())
    var paths: [String]
}

/// What all verbs of `latent` share.
struct LatentOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("Encoder that `hidra pretrain` made.", valueName: "encoder"))
    var encoder: String

    @Option(name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("PNG of all pictures.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("Folder for each picture in its own size.", valueName: "folder"))
    var pictures: String?

    @Option(help: ArgumentHelp("NumPy file for the codes.", valueName: "file"))
    var codes: String?

    @Option(help: ArgumentHelp("Column with the labels, of a table.", valueName: "column"))
    var labels: String?

    @Option(help: ArgumentHelp("Seed of what is drawn.", valueName: "n"))
    var seed: UInt64 = 0

    @OptionGroup var common: CommonOptions

    /// The help of a verb: an example, and its exit codes.
    static func discussion(_ example: String) -> String {
        """
        EXAMPLE:
          \(example)

        EXIT CODES: 0 done, 2 wrong arguments, 3 no such encoder or direction, 4 bad data, 7 time-out, 9 too many pictures, \
        10 an encoder without a decoder.
        """
    }

    /// Asks the daemon once and writes what comes.
    func run(
        _ verb: String, inputs: [String], labelled: Bool = false,
        _ fill: @escaping @Sendable (inout Hidra_V1_LatentRequest) -> Void = { _ in }
    ) async throws {
        let given = try read(inputs)
        try await Session.run(common) { session in
            var request = Hidra_V1_LatentRequest()
            request.encoder = encoder
            request.verb = verb
            request.seed = seed
            fill(&request)
            if !given.images.isEmpty {
                (request.data, _) = try await ImageRows(paths: given.images, label: labels).upload(session)
                (request.imageColumn, request.nameColumn) = ("image", "path")
                if labelled { request.labelColumn = "label" }
            }
            let answer = try await session.client.latent(request, codes: given.codes, width: given.width)
            let files = try write(answer)
            for note in answer.reply.notes { try session.console.note(note) }
            let report = LatentReport(verb: verb, answer: answer, files: files)
            try session.console.print(session.console.json ? report.json.text : report.text)
        }
    }

    private struct Given {
        var images: [String] = []
        var codes: [Float] = []
        var width = 0
    }

    /// Codes of .npy files, one below the other, or the paths of images.
    private func read(_ inputs: [String]) throws -> Given {
        var given = Given()
        for path in inputs {
            guard path.lowercased().hasSuffix(".npy") else {
                given.images.append(path)
                continue
            }
            let array = try NumPyArray.read(path: path)
            let width = array.shape.last ?? 0
            guard array.element == .float32, (1...2).contains(array.shape.count), width > 0, given.width == 0 || given.width == width else {
                throw HidraError(
                    .invalidArgument,
                    "\(path): codes are float32 [rows, code]; this is \(array.element) \(array.shape)\(given.width > 0 ? ", after codes of \(given.width)" : "").")
            }
            given.width = width
            given.codes += array.bytes.withUnsafeBytes { raw in
                (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
            }
        }
        guard given.images.isEmpty || given.codes.isEmpty else {
            throw HidraError(.invalidArgument, "Give images, or codes in .npy files; not both.")
        }
        return given
    }

    /// Returns what was written.
    private func write(_ answer: LatentAnswer) throws -> [String] {
        var files: [String] = []
        func put(_ data: Data, _ path: String) throws {
            do { try data.write(to: URL(filePath: path), options: .atomic) } catch {
                throw HidraError(.invalidArgument, "\(path) could not be written: \(error.localizedDescription)", cause: error)
            }
            files.append(path)
        }
        if let output {
            guard !answer.reply.sheet.isEmpty else {
                throw HidraError(.invalidArgument, "There is no picture to write to \(output).")
            }
            try put(answer.reply.sheet, output)
        }
        if let pictures {
            do { try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true) } catch {
                throw HidraError(.invalidArgument, "\(pictures) could not be made: \(error.localizedDescription)", cause: error)
            }
            let digits = String(answer.reply.pictures.count).count
            for (index, picture) in answer.reply.pictures.enumerated() {
                let number = String(index + 1)
                try put(picture, "\(pictures)/\(String(repeating: "0", count: digits - number.count))\(number).png")
            }
        }
        if let codes, answer.width > 0 {
            let writer = try NumPyWriter(path: codes, rows: answer.rows, width: answer.width)
            try writer.append(answer.codes)
            try writer.finish()
            files.append(codes)
        }
        return files
    }
}

/// What came of a verb, for people and programs.
struct LatentReport {
    let verb: String
    let answer: LatentAnswer
    let files: [String]

    private static let listed = 40

    var text: String {
        func line(_ figures: [String: Double]) -> String {
            figures.sorted { $0.key < $1.key }.map { "\($0.key) \(Format.figure($0.value))" }.joined(separator: "  ")
        }
        var lines = answer.reply.items.prefix(Self.listed).filter { !$0.figures.isEmpty }.map { "\($0.name): \(line($0.figures))" }
        if answer.reply.items.count > Self.listed { lines.append("… \(answer.reply.items.count - Self.listed) more") }
        if !answer.reply.figures.isEmpty { lines.append("\(verb == "map" ? "map" : "mean"): \(line(answer.reply.figures))") }
        if answer.width > 0 { lines.append("\(answer.rows) codes of \(answer.width) numbers") }
        if let first = files.first { lines.append(files.count == 1 ? "Wrote \(first)" : "Wrote \(first) and \(files.count - 1) more files") }
        return lines.joined(separator: "\n")
    }

    var json: JSON {
        .event(
            "result",
            [
                ("verb", .string(verb)),
                ("items", .array(answer.reply.items.map { .object([("name", .string($0.name)), ("figures", .figures($0.figures))]) })),
                ("figures", .figures(answer.reply.figures)), ("rows", .integer(Int64(answer.rows))),
                ("width", .integer(Int64(answer.width))), ("files", .array(files.map { .string($0) })),
                (
                    "directions",
                    .array(
                        answer.reply.directions.map {
                            .object([
                                ("name", .string($0.name)), ("method", .string($0.method)), ("quality", .number($0.quality)),
                                ("vector", .array($0.vector.map { .single($0) })),
                            ])
                        })
                ), ("notes", .array(answer.reply.notes.map { .string($0) })),
            ])
    }
}
