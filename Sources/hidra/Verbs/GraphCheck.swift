import ArgumentParser
import HidraClient
import HidraProtocol

struct GraphCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say what the daemon would make of an ONNX graph.",
        discussion: """
            Prints the operators, the inputs and outputs with their shapes, the parameters that training would change, the \
            memory one pass takes, and everything that would be refused, with the node's name and the reason.

            EXAMPLE:
              hidra graph check head.onnx
              hidra graph check head.onnx --dimension 64 --json

            EXIT CODES: 0 the graph can be used, 2 wrong arguments, 3 no such file, 9 limit exceeded, 10 it would be refused.
            """)

    @Argument(help: ArgumentHelp("ONNX file.", valueName: "file.onnx"), completion: .file(extensions: ["onnx"]))
    var file: String

    @Option(help: ArgumentHelp("Size assumed for each symbolic dimension in the memory estimate.", valueName: "n"))
    var dimension: UInt64 = 1

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let model = try GraphFile.read(file)
        try await Session.run(common) { session in
            let reply = try await session.client.checkGraph(model, dimension: dimension)
            let console = session.console
            if console.json {
                try console.print(reply.json)
            } else {
                try console.print(
                    GraphReport(file: file, reply: reply).render(style: console.style, width: console.width))
            }
            guard reply.problems.isEmpty else { throw ExitCode(ErrorCode.unsupported.exitCode) }
        }
    }
}
