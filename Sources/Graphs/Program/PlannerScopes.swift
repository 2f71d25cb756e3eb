import ONNX

/// The names visible while a graph or a function's body is planned.
final class Names {
    let level: Int
    let outer: Names?
    /// Version of each imported operator set.
    let versions: [String: Int]
    var table: [String: ValueReference] = [:]
    /// Inputs of a function that its caller left out.
    var absent: Set<String> = []

    init(level: Int, outer: Names?, versions: [String: Int]) {
        self.level = level
        self.outer = outer
        self.versions = versions
    }

    subscript(_ name: String) -> ValueReference? {
        var names: Names? = self
        while let current = names {
            if let reference = current.table[name] { return reference }
            names = current.outer
        }
        return nil
    }

    /// The node with the inputs its function was not given left out.
    func withoutAbsent(_ node: NodeProto) -> NodeProto {
        guard node.input.contains(where: absent.contains) else { return node }
        var node = node
        node.input = node.input.map { absent.contains($0) ? "" : $0 }
        return node
    }
}

/// A graph whose nodes are being planned.
struct GraphUnderway {
    let level: Int
    private(set) var slots = 0
    private(set) var nodes: [PlannedNode] = []
    /// Attributes of the function around this graph.
    var attributes: [String: AttributeProto]?
    /// The last node that needs each slot.
    private var lastUse: [Int: Int] = [:]
    /// Values of the graphs around this one that its nodes need.
    private var captures: Set<ValueReference> = []

    init(level: Int) { self.level = level }

    mutating func reference() -> ValueReference {
        defer { slots += 1 }
        return ValueReference(level: level, slot: slots)
    }

    mutating func add(_ node: PlannedNode) { nodes.append(node) }

    /// The node planned next needs `reference`.
    mutating func note(_ reference: ValueReference, _ level: Int) {
        if reference.level == self.level { lastUse[reference.slot] = nodes.count } else { captures.insert(reference) }
    }

    mutating func noteCaptures(of inner: GraphUnderway) {
        for reference in inner.captures { note(reference, level) }
    }

    func releases(keeping outputs: [ValueReference], constants: Set<Int>) -> [[Int]] {
        var releases = [[Int]](repeating: [], count: nodes.count)
        let kept = Set(outputs.filter { $0.level == level }.map(\.slot))
        for (slot, node) in lastUse where node < nodes.count && !kept.contains(slot) && !constants.contains(slot) {
            releases[node].append(slot)
        }
        for (index, node) in nodes.enumerated() {
            // Made, and never used.
            for slot in node.outputs.compactMap(\.self) where lastUse[slot] == nil && !kept.contains(slot) {
                releases[index].append(slot)
            }
        }
        return releases
    }
}

/// The order nodes run in.
enum NodeOrder {
    /// Positions such that each node comes after those it needs, in the given order where that allows it; and the nodes of a circle.
    static func sorted(_ nodes: [NodeProto]) -> (order: [Int], cycle: [Int]?) {
        var makers: [String: Int] = [:]
        for (index, node) in nodes.enumerated() {
            for output in node.output where !output.isEmpty && makers[output] == nil { makers[output] = index }
        }
        let needs = nodes.map { node in Set(names(neededBy: node).compactMap { makers[$0] }) }
        var state = [UInt8](repeating: 0, count: nodes.count)
        var order: [Int] = [], cycle: [Int]?
        for start in nodes.indices where state[start] == 0 {
            // Depth first with a stack of our own: a chain may be as long as the model.
            var stack: [(node: Int, pending: [Int])] = [(start, needs[start].sorted(by: >))]
            state[start] = 1
            while let top = stack.last {
                guard let next = top.pending.last else {
                    state[top.node] = 2
                    order.append(top.node)
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].pending.removeLast()
                if state[next] == 0 {
                    state[next] = 1
                    stack.append((next, needs[next].sorted(by: >)))
                } else if state[next] == 1, cycle == nil {
                    cycle = stack.drop { $0.node != next }.map(\.node)
                }
            }
        }
        return (order, cycle)
    }

    /// Names a node reads: its inputs, and what the graphs inside of it take from around them.
    private static func names(neededBy node: NodeProto) -> Set<String> {
        var names = Set(node.input)
        for attribute in node.attribute {
            if attribute.hasG { names.formUnion(free(attribute.g)) }
            for graph in attribute.graphs { names.formUnion(free(graph)) }
        }
        names.remove("")
        return names
    }

    private static func free(_ graph: GraphProto) -> Set<String> {
        var needed = Set(graph.output.map(\.name)),
            made = Set(graph.input.map(\.name)).union(graph.initializer.map(\.name))
        for node in graph.node {
            needed.formUnion(names(neededBy: node))
            made.formUnion(node.output)
        }
        return needed.subtracting(made)
    }
}
