import ArgumentParser
import HidraClient
import HidraProtocol

struct GraphCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say what the daemon would make of an ONNX graph.",
        discussion: """
            Prints the operators, the inputs and outputs with their shapes, what each input would read as a head's, the parameters that training would change, the \
            memory one pass takes, and everything that would be refused, with the node's name and the reason.

            EXAMPLE:
              hidra graph check head.onnx
              hidra graph check head.onnx --batch 64 --size sequence=128 --json

            EXIT CODES: 0 the graph can be used, 2 wrong arguments, 3 no such file, 9 limit exceeded, 10 it would be refused.
            """)

    @Argument(help: ArgumentHelp("ONNX file.", valueName: "file.onnx"), completion: .file(extensions: ["onnx"]))
    var file: String

    @Option(help: ArgumentHelp("Extent of symbolic first axes in the memory estimate.", valueName: "n"))
    var batch: UInt64 = 1

    @Option(
        name: .customLong("size"),
        help: ArgumentHelp(
            "Extent of another symbol in the estimate (default: 32); once for each.", valueName: "symbol=n"))
    var sizes: [SymbolSize] = []

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let model = try GraphFile.read(file)
        try await Session.run(common) { session in
            let reply = try await session.client.checkGraph(
                model, batch: batch, sizes: Dictionary(sizes.map { ($0.symbol, $0.extent) }) { $1 })
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

/// The value of `--size`: SYMBOL=N.
struct SymbolSize: ExpressibleByArgument, Sendable, Equatable {
    let symbol: String
    let extent: UInt64

    init?(argument: String) {
        guard let sign = argument.lastIndex(of: "="), let extent = UInt64(argument[argument.index(after: sign)...]),
            extent > 0
        else {
            return nil
        }
        symbol = String(argument[..<sign])
        self.extent = extent
    }
}
