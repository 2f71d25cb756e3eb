import TensorCore

/// One execution of one node: its inputs and attributes, and the arithmetic operators are written with (`Algebra/`). Whatever an
/// operator asks for is checked here, so that nothing a graph contains reaches a precondition of the core.
struct Call {
    let node: PlannedNode
    let inputs: [GraphValue?]
    let run: GraphRun
    /// Values of the graphs around this node, for the graphs inside of it.
    let scope: Scope?

    var version: Int { node.version }

    // MARK: Errors

    func error(_ code: GraphError.Code, _ message: String) -> GraphError {
        GraphError(code, message, node: node.name, op: node.op)
    }

    func require(_ condition: Bool, _ code: GraphError.Code, _ message: @autoclosure () -> String) throws {
        if !condition { throw error(code, message()) }
    }

    // MARK: Inputs

    /// Input `index`, which the operator cannot do without.
    func input(_ index: Int) throws -> GraphValue {
        guard let value = optional(index) else { throw error(.unknownName, "input \(index) is missing") }
        return value
    }

    /// Input `index`, or nil when it is left out.
    func optional(_ index: Int) -> GraphValue? { index < inputs.count ? inputs[index] : nil }

    /// All inputs of a variadic operator.
    func all() throws -> [GraphValue] { try inputs.indices.map(input) }

    /// The elements of an integer input that decides over shapes, such as axes.
    func integers(_ index: Int) throws -> [Int] { try integers(of: input(index), "input \(index)") }

    func integersIfPresent(_ index: Int) throws -> [Int]? {
        guard let value = optional(index) else { return nil }
        return try integers(of: value, "input \(index)")
    }

    func integers(of value: GraphValue, _ what: String) throws -> [Int] {
        switch value.content {
        case .signed(let values): return values.map { Int($0) }
        case .unsigned(let values): return values.map { Int(clamping: $0) }
        case .absent, .shapeless: throw error(.dependsOnData, "\(what) is known only when the graph runs")
        default: throw error(.typeMismatch, "\(what) is \(value.type.rawValue), not integers")
        }
    }

    /// The elements of a float input, without their history.
    func reals(of value: GraphValue, _ what: String) throws -> [Double] {
        switch value.content {
        case .float(let tensor): return tensor.values.map { Double($0) }
        case .real(let values): return values
        case .signed(let values): return values.map { Double($0) }
        case .unsigned(let values): return values.map { Double($0) }
        case .truth(let values): return values.map { $0 ? 1 : 0 }
        case .absent, .shapeless: throw error(.dependsOnData, "\(what) is known only when the graph runs")
        }
    }

    func truths(of value: GraphValue, _ what: String) throws -> [Bool] {
        switch value.content {
        case .truth(let values): return values
        case .absent, .shapeless: throw error(.dependsOnData, "\(what) is known only when the graph runs")
        default: throw error(.typeMismatch, "\(what) is \(value.type.rawValue), not bool")
        }
    }

    /// The single element of an input: a scalar, or a vector with one element.
    func single<T>(_ values: [T], _ what: String) throws -> T {
        guard values.count == 1 else { throw error(.shapeMismatch, "\(what) has \(values.count) elements, not one") }
        return values[0]
    }

    // MARK: Attributes

    func int(_ name: String, _ standard: Int) throws -> Int { try intIfPresent(name) ?? standard }

    func intIfPresent(_ name: String) throws -> Int? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .int(let value) = attribute else {
            throw error(.typeMismatch, "attribute \(name) is not an integer")
        }
        return Int(value)
    }

    func flag(_ name: String, _ standard: Bool = false) throws -> Bool { try int(name, standard ? 1 : 0) != 0 }

    func ints(_ name: String) throws -> [Int]? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .ints(let values) = attribute else {
            throw error(.typeMismatch, "attribute \(name) is not a list of integers")
        }
        return values.map { Int($0) }
    }

    func float(_ name: String, _ standard: Double) throws -> Double { try floatIfPresent(name) ?? standard }

    func floatIfPresent(_ name: String) throws -> Double? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .float(let value) = attribute else { throw error(.typeMismatch, "attribute \(name) is not a float") }
        return Double(value)
    }

    func floats(_ name: String) throws -> [Double]? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .floats(let values) = attribute else {
            throw error(.typeMismatch, "attribute \(name) is not a list of floats")
        }
        return values.map { Double($0) }
    }

    func string(_ name: String, _ standard: String) throws -> String {
        guard let attribute = node.attributes[name] else { return standard }
        guard case .string(let value) = attribute else {
            throw error(.typeMismatch, "attribute \(name) is not a string")
        }
        return value
    }

    func strings(_ name: String) throws -> [String]? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .strings(let values) = attribute else {
            throw error(.typeMismatch, "attribute \(name) is not a list of strings")
        }
        return values
    }

    func tensor(_ name: String) throws -> GraphValue? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .tensor(let value) = attribute else {
            throw error(.typeMismatch, "attribute \(name) is not a tensor")
        }
        return value.value
    }

    func graph(_ name: String) throws -> GraphPlan {
        guard case .graph(let plan)? = node.attributes[name] else {
            throw error(.badValue, "attribute \(name), a graph, is missing")
        }
        return plan
    }

    /// The element type an attribute names by its number.
    func type(_ name: String) throws -> ElementType? {
        guard let code = try intIfPresent(name) else { return nil }
        guard let type = ElementType(code: code) else {
            throw error(.unsupported, "\(name) asks for \(ElementType.name(code: code)), which is not supported")
        }
        return type
    }

    // MARK: Axes and sizes

    /// `axis` counted from the front, within `rank` axes.
    func axis(_ axis: Int, rank: Int) throws -> Int {
        let positive = axis < 0 ? axis &+ rank : axis
        guard positive >= 0, positive < rank else {
            throw error(.badValue, "axis \(axis) of a value with \(rank) axes; it must lie in \(-rank)...\(rank - 1)")
        }
        return positive
    }

    func axes(_ axes: [Int], rank: Int) throws -> [Int] {
        let positive = try axes.map { try axis($0, rank: rank) }
        try require(Set(positive).count == positive.count, .badValue, "axes \(axes) name an axis twice")
        return positive
    }

    /// Elements of `shape`, after checking that a value of it may be made now.
    @discardableResult
    func reserve(_ shape: [Int], _ type: ElementType) throws -> Int {
        let count: Int
        do {
            count = try checkedCount(shape)
        } catch let failure { throw error(failure.code, failure.message) }
        try require(
            shape.count <= run.limits.rank, .tooLarge,
            "a value with \(shape.count) axes; at most \(run.limits.rank) are allowed")
        try reserve(count, width: type.computeWidth, shape)
        return count
    }

    /// Checks that `count` elements of `width` bytes may be taken now.
    func reserve(_ count: Int, width: Int, _ shape: [Int]) throws {
        // Maps of elements are of 32 bits.
        let most = min(run.limits.tensorElements, Int(Int32.max) - 1)
        try require(
            count <= most, .tooLarge, "\(text(shape)) needs \(count) elements at once; at most \(most) are allowed")
        try require(
            run.liveBytes + count * width <= run.limits.liveBytes, .tooLarge,
            "\(text(shape)) would take memory to more than \(run.limits.liveBytes >> 20) MiB; use a smaller batch")
    }
}
