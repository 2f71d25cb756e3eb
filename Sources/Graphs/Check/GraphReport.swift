/// What a check found in a graph.
package struct GraphReport: Sendable {
    /// A graph input or output.
    package struct Port: Sendable, Equatable {
        package let name: String
        package let type: ElementType?
        /// nil: not even the number of axes is known before the graph runs. Extents are numbers, symbols, or formulas of symbols.
        package let shape: [String]?
    }

    package struct Weight: Sendable, Equatable {
        package let name: String
        package let type: ElementType
        package let shape: [Int]
        /// A head made of the graph trains it.
        package let isTrainable: Bool
        /// Declared with an initialiser instead of being in the file.
        package let isDeclared: Bool
    }

    package struct OperatorUse: Sendable, Equatable {
        package let name: String
        package let count: Int
        package let isSupported: Bool
        package let hasGradient: Bool
    }

    /// Something that would be refused.
    package struct Problem: Sendable, Equatable {
        package let code: GraphError.Code
        package let node: String?
        package let op: String?
        package let message: String
    }

    package var irVersion: Int
    /// Version of each imported operator set; the standard one has the empty name.
    package var operatorSets: [String: Int]
    package var producer: String
    package var nodes: Int
    /// By name.
    package var operators: [OperatorUse] = []
    package var inputs: [Port] = []
    package var outputs: [Port] = []
    package var weights: [Weight] = []
    package var problems: [Problem] = []
    /// Symbols that the graph declares open and yet works with one extent of only, as far as was found: exporters may write the
    /// extent of their example into a graph.
    package var pinned: [String: Int] = [:]
    /// The extents the memory was estimated with, by symbol.
    package var sizes: [String: Int] = [:]
    /// Bytes of all results of nodes with those extents: what training keeps.
    package var activationBytes = 0
    /// Bytes alive at one time when the graph only runs, weights not counted.
    package var peakBytes = 0

    /// Elements of all trainable weights, and of all float weights.
    package var trainableParameters: Int { weights.reduce(0) { $0 + ($1.isTrainable ? $1.shape.reduce(1, *) : 0) } }
    package var parameters: Int { weights.reduce(0) { $0 + ($1.type.isFloat ? $1.shape.reduce(1, *) : 0) } }
    package var weightBytes: Int { weights.reduce(0) { $0 + $1.shape.reduce(1, *) * $1.type.width } }
    package var isUsable: Bool { problems.isEmpty }
}
