/// A graph ready to run: nodes in an order that works, values by slot instead of by name.
final class GraphPlan: Sendable {
    /// How many graphs lie around this one.
    let level: Int
    let inputs: [PlannedInput]
    /// Initialisers by slot.
    let constants: [PlannedConstant]
    let nodes: [PlannedNode]
    let outputs: [PlannedOutput]
    let slots: Int
    /// Slots no longer needed after each node.
    let releases: [[Int]]

    init(
        level: Int, inputs: [PlannedInput], constants: [PlannedConstant], nodes: [PlannedNode],
        outputs: [PlannedOutput], slots: Int,
        releases: [[Int]]
    ) {
        self.level = level
        self.inputs = inputs
        self.constants = constants
        self.nodes = nodes
        self.outputs = outputs
        self.slots = slots
        self.releases = releases
    }
}

/// A value's place: the graph it belongs to, counted from the outermost, and its slot there.
struct ValueReference: Sendable, Hashable {
    let level: Int
    let slot: Int
}

/// An extent of a declared shape.
package enum GraphDimension: Sendable, Equatable, CustomStringConvertible {
    case fixed(Int)
    /// Known when the graph runs; equal names are equal extents, and an empty name says nothing.
    case symbol(String)

    package var description: String {
        switch self {
        case .fixed(let extent): String(extent)
        case .symbol(let name): name.isEmpty ? "?" : name
        }
    }
}

struct PlannedInput: Sendable {
    let name: String
    let slot: Int
    /// nil: any.
    let type: ElementType?
    /// nil: any rank.
    let shape: [GraphDimension]?
    /// An initialiser gives the value when no other is given.
    let hasDefault: Bool
}

struct PlannedOutput: Sendable {
    let name: String
    let reference: ValueReference
    let type: ElementType?
    let shape: [GraphDimension]?
}

struct PlannedConstant: Sendable {
    let name: String
    let slot: Int
    let type: ElementType
    let shape: [Int]
    /// Place among the model's initialisers; nil when its weights are made by a declared initialiser.
    let index: Int?
    /// Of an inner graph: decoded once.
    let value: ConstantValue?
}

/// A node with its operator found and its attributes read.
struct PlannedNode: Sendable {
    let name: String
    let op: String
    /// Of the operator set the node is written in.
    let version: Int
    /// nil: the node was refused; its outputs are unknown to a check.
    let entry: Operator?
    let attributes: [String: Attribute]
    let inputs: [ValueReference?]
    /// Names of the inputs in the graph, empty where one is left out.
    let inputNames: [String]
    let outputs: [Int?]
    let outputNames: [String]
    /// Distinguishes nodes of one program: for random numbers.
    let number: Int
}

/// An attribute's value.
enum Attribute: Sendable {
    case int(Int64)
    case float(Float)
    case string(String)
    case ints([Int64])
    case floats([Float])
    case strings([String])
    case tensor(ConstantValue)
    case graph(GraphPlan)
}

/// A value that never changes once it is made.
///
/// `@unchecked`: the value is not tracked, nothing writes to it, and reading a tensor does not change it.
struct ConstantValue: @unchecked Sendable {
    let value: GraphValue

    init(_ value: GraphValue) { self.value = value.detached }
}

/// The values of one graph while it runs.
final class Scope {
    var values: [GraphValue?]
    let level: Int
    let parent: Scope?

    init(_ plan: GraphPlan, parent: Scope?) {
        values = [GraphValue?](repeating: nil, count: plan.slots)
        level = plan.level
        self.parent = parent
    }

    subscript(_ reference: ValueReference) -> GraphValue? {
        var scope = self
        while scope.level > reference.level, let parent = scope.parent { scope = parent }
        return reference.slot < scope.values.count ? scope.values[reference.slot] : nil
    }
}
