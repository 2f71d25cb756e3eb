import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol
import Tables

struct GraphRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run an ONNX graph on NumPy arrays.",
        discussion: """
            Each input of the graph takes a .npy file of the graph's element type; each output is written as a .npy file \
            under its name (characters a file name cannot hold become "_"). bfloat16, which NumPy lacks, is read and written \
            as float32.

            EXAMPLE:
              hidra graph run head.onnx --input features=features.npy -o out/

            EXIT CODES: 0 done, 2 wrong arguments or inputs, 3 no such file, 4 bad data, 7 time-out, 9 limit exceeded, 10 the graph \
            would be refused.
            """)

    @Argument(help: ArgumentHelp("ONNX file.", valueName: "file.onnx"), completion: .file(extensions: ["onnx"]))
    var file: String

    @Option(
        name: .customLong("input"),
        help: ArgumentHelp("An input and the array for it; once for each.", valueName: "name=file.npy"))
    var inputs: [GraphInput] = []

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Folder for the outputs; made when it is missing.", valueName: "dir"), completion: .directory
    )
    var output: String

    @OptionGroup var common: CommonOptions

    func validate() throws {
        var seen: Set<String> = []
        for input in inputs where !seen.insert(input.name).inserted {
            throw ValidationError("--input \(input.name) is given twice.")
        }
    }

    func run() async throws {
        let model = try GraphFile.read(file)
        let tensors = try inputs.map { try GraphTensor(name: $0.name, array: NumPyArray.read(path: $0.path)) }
        try await Session.run(common) { session in
            let (outputs, reply) = try await session.client.runGraph(model, inputs: tensors)
            try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
            let names = Self.fileNames(outputs.map(\.name))
            let files = try zip(outputs, names).map { tensor, name -> (GraphTensor, String) in
                let path = "\(output.hasSuffix("/") ? String(output.dropLast()) : output)/\(name).npy"
                try tensor.array().encoded().write(to: URL(filePath: path), options: .atomic)
                return (tensor, path)
            }
            try report(files, reply.seconds, session.console)
        }
    }

    private func report(_ files: [(tensor: GraphTensor, path: String)], _ seconds: Double, _ console: Console) throws {
        if console.json {
            let outputs = files.map { tensor, path -> JSON in
                .object([
                    ("name", .string(tensor.name)), ("type", .string(tensor.typeName)),
                    ("shape", .array(tensor.shape.map { .integer(Int64($0)) })), ("file", .string(path)),
                ])
            }
            return try console.print(.event("result", [("outputs", .array(outputs)), ("seconds", .number(seconds))]))
        }
        var grid = Grid([.init("OUTPUT", flexible: true), .init("TYPE"), .init("SHAPE"), .init("FILE", flexible: true)])
        for (tensor, path) in files {
            grid.add(tensor.name, tensor.typeName, "[\(tensor.shape.map(String.init).joined(separator: ", "))]", path)
        }
        try console.print(grid.render(width: console.width, style: console.style))
        try console.note("\(Format.duration(seconds)) of the daemon's time")
    }

    /// A file name for each output: the output's own, made safe, and unique.
    static func fileNames(_ names: [String]) -> [String] {
        var taken: Set<String> = []
        return names.map { name in
            var safe = String(name.map { $0 == "/" || $0 == "\0" || $0.isNewline ? "_" : $0 })
            if safe.isEmpty || safe == "." || safe == ".." || safe.utf8.count > 200 { safe = "output" }
            var candidate = safe, number = 2
            while !taken.insert(candidate).inserted {
                candidate = "\(safe)_\(number)"
                number += 1
            }
            return candidate
        }
    }
}

/// The value of `--input`: NAME=FILE.
struct GraphInput: ExpressibleByArgument, Sendable, Equatable {
    let name: String
    let path: String

    /// Names of tensors and paths may hold a "=": the first after which a file's path stands separates, else the first of all.
    init?(argument: String) {
        let signs = argument.indices.filter { argument[$0] == "=" && $0 != argument.startIndex }
        func path(after sign: String.Index) -> String { String(argument[argument.index(after: sign)...]) }
        guard let sign = signs.first(where: { FileManager.default.fileExists(atPath: path(after: $0)) }) ?? signs.first
        else {
            return nil
        }
        name = String(argument[..<sign])
        self.path = path(after: sign)
        guard !self.path.isEmpty else { return nil }
    }
}
