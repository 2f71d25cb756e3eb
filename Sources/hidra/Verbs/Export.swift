import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol

struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a trained head as an ONNX model.",
        discussion: """
            The model takes features as `hidra embed` gives them, float32 [rows, width], and gives the head's outputs before any \
            softmax: the logits of its labels, in the order `hidra show HEAD` lists them, or the scaled value of a regression.

            EXAMPLE:
              hidra export intent -o intent.onnx

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such head, 7 time-out, 9 disk full.
            """)

    @Argument(help: ArgumentHelp("Head to export.", valueName: "head"))
    var head: String

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("File to write (default: HEAD.onnx).", valueName: "file.onnx"), completion: .file())
    var output: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let model = try await session.client.export(head: head)
            let path = output ?? "\(head).onnx"
            do {
                try model.write(to: URL(filePath: path), options: .atomic)
            } catch {
                throw HidraError(.diskFull, "\(path) cannot be written: \(error.localizedDescription)", cause: error)
            }
            if common.json {
                return try session.console.print(
                    .event("result", [("file", .string(path)), ("bytes", .integer(Int64(model.count)))]))
            }
            try session.console.print("Wrote \(path): \(Format.bytes(UInt64(model.count)))")
        }
    }
}
