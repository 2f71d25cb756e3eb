package import TensorCore

/// A value in a graph: elements of one type under a shape. float32 lies in a `Tensor` and can carry a gradient; every other type is
/// a plain array, computed in 64 bits and brought back to its type after each operation.
package struct GraphValue {
    package let type: ElementType
    package let shape: [Int]
    let content: Content

    enum Content {
        case float(Tensor)
        /// float64, float16, bfloat16.
        case real([Double])
        case signed([Int64])
        case unsigned([UInt64])
        case truth([Bool])
        /// Type and shape are known, the elements are not: while a graph is checked.
        case absent
        /// Only the type is known: the shape would follow from absent elements.
        case shapeless
    }

    init(_ type: ElementType, _ shape: [Int], _ content: Content) {
        self.type = type
        self.shape = shape
        self.content = content
    }

    /// A float32 value.
    package init(_ tensor: Tensor) {
        self.init(.float32, tensor.shape.dimensions, .float(tensor))
    }

    static func absent(_ type: ElementType, _ shape: [Int]) -> GraphValue { GraphValue(type, shape, .absent) }
    static func shapeless(_ type: ElementType) -> GraphValue { GraphValue(type, [], .shapeless) }
    static func int64(_ values: [Int], _ shape: [Int]) -> GraphValue {
        GraphValue(.int64, shape, .signed(values.map(Int64.init)))
    }
    static func truth(_ value: Bool) -> GraphValue { GraphValue(.bool, [], .truth([value])) }

    package var count: Int { shape.reduce(1, *) }
    package var rank: Int { shape.count }

    var isAbsent: Bool {
        if case .absent = content { return true }
        return isShapeless
    }

    var isShapeless: Bool {
        if case .shapeless = content { return true }
        return false
    }

    /// The float32 tensor, with its history; nil for other types.
    package var tensor: Tensor? {
        if case .float(let tensor) = content { return tensor }
        return nil
    }

    var isTracked: Bool { tensor?.isTracked ?? false }

    /// Bytes taken while the graph runs.
    var computeBytes: Int { count * type.computeWidth }

    /// The same elements under another shape of as many elements.
    func reshaped(_ shape: [Int]) -> GraphValue {
        guard case .float(let tensor) = content else { return GraphValue(type, shape, content) }
        return GraphValue(Reshape(Shape(shape))(tensor))
    }

    /// The same values without their history.
    package var detached: GraphValue {
        guard case .float(let tensor) = content else { return self }
        return GraphValue(tensor.detached)
    }
}

/// `[batch, 3, 4]` in errors.
func text(_ shape: [Int]) -> String { "[" + shape.map(String.init).joined(separator: ", ") + "]" }
