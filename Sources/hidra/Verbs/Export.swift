import ArgumentParser
import Foundation
import HidraClient
import HidraProtocol

struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a trained head as a file: an ONNX model, or a bundle for another machine.",
        discussion: """
            A name that ends in .hidra asks for a bundle, a ZIP archive with the head's own files, its weights as safetensors, the \
            ONNX model, the record of its run and a model card (data digest, metrics, a table of classes, limits); `hidra import` \
            takes it. Any other name asks for the ONNX model alone.

            The model takes features as `hidra embed` gives them, float32 [rows, width], and gives the head's outputs before any \
            softmax: the logits of its labels, in the order `hidra show HEAD` lists them; of a regression the number itself.

            EXAMPLE:
              hidra export intent -o intent.onnx
              hidra export intent -o intent.hidra

            EXIT CODES: 0 done, 2 wrong arguments, 3 no such head, 7 time-out, 9 disk full.
            """)

    @Argument(help: ArgumentHelp("Head to export.", valueName: "head"))
    var head: String

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("File to write (default: HEAD.onnx).", valueName: "file.onnx|file.hidra"), completion: .file())
    var output: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Session.run(common) { session in
            let path = output ?? "\(head).onnx"
            let bytes =
                path.hasSuffix(".hidra") ? try await session.client.exportBundle(head: head) : try await session.client.export(head: head)
            do {
                try bytes.write(to: URL(filePath: path), options: .atomic)
            } catch {
                throw HidraError(.diskFull, "\(path) cannot be written: \(error.localizedDescription)", cause: error)
            }
            if common.json {
                return try session.console.print(
                    .event("result", [("file", .string(path)), ("bytes", .integer(Int64(bytes.count)))]))
            }
            try session.console.print("Wrote \(path): \(Format.bytes(UInt64(bytes.count)))")
        }
    }
}
