import ArgumentParser

/// For authors of heads: what the daemon makes of an ONNX graph.
struct Graph: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph",
        abstract: "Check an ONNX graph, or run it.",
        discussion: """
            A head's network can be an ONNX graph: `hidra train … --head FILE.onnx`. `check` says what would be made of it, \
            `run` computes its outputs. The supported operators are listed in proto/onnx/OPERATORS.md.
            """,
        subcommands: [GraphCheck.self, GraphRun.self])
}
