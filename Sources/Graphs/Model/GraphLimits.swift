/// Bounds a graph must keep to. Each is checked before memory is taken.
package struct GraphLimits: Sendable {
    /// Bytes of the model file.
    package var fileBytes = 512 << 20
    /// Nodes, those of subgraphs and of functions at each place of use included.
    package var nodes = 50_000
    /// Fields of the file: names, attributes, initialisers, value descriptions.
    package var fields = 2_000_000
    /// Elements of any one tensor.
    package var tensorElements = 1 << 28
    /// Bytes of all values alive at one time, temporary ones included.
    package var liveBytes = 4 << 30
    /// Graphs within graphs, functions within functions.
    package var depth = 16
    /// Axes of a tensor.
    package var rank = 16
    /// Nodes carried out in one run, each turn of a loop counted.
    package var steps = 5_000_000

    package init() {}
    package static let `default` = GraphLimits()
}
