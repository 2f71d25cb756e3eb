/// Why a graph, or a value given to one, cannot be used. The message says what to do.
package struct GraphError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, Codable {
        /// Not an ONNX model, or a damaged one.
        case malformed
        /// A bound of `GraphLimits` was passed.
        case tooLarge
        /// An operator, a domain, a version or an attribute that Hidra does not have.
        case unsupported
        /// Weights in another file.
        case externalData
        case cycle
        case duplicateName
        /// A name nobody defines, or an input that was not given.
        case unknownName
        case typeMismatch
        case shapeMismatch
        /// An attribute or an input has a value outside of what its operator allows.
        case badValue
        /// A shape follows from values that are known only when the graph runs.
        case dependsOnData
    }

    package var code: Code
    package var message: String
    /// Name and operator of the node, when one is to blame.
    package var node: String?
    package var op: String?

    package init(_ code: Code, _ message: String, node: String? = nil, op: String? = nil) {
        self.code = code
        self.message = message
        self.node = node
        self.op = op
    }

    package var description: String {
        guard let op else { return message }
        return "node \"\(node ?? "")\" (\(op)): \(message)"
    }
}

/// Product of the extents.
///
/// - Throws: `GraphError` for a negative extent or a product past 2⁶².
func checkedCount(_ shape: [Int]) throws(GraphError) -> Int {
    if let negative = shape.first(where: { $0 < 0 }) {
        throw GraphError(.badValue, "shape \(text(shape)) has the negative extent \(negative)")
    }
    if shape.contains(0) {
        // Still refuse extents whose product without the zero overflows: strides are computed from them.
        _ = try checkedCount(shape.filter { $0 != 0 })
        return 0
    }
    var count = 1
    for extent in shape {
        guard let product = count.times(extent), product < 1 << 60 else {
            throw GraphError(.tooLarge, "shape \(text(shape)) has more elements than can be counted")
        }
        count = product
    }
    return count
}

extension Int {
    /// Product, or nil past the width of an integer.
    func times(_ other: Int) -> Int? {
        let (value, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? nil : value
    }

    func plus(_ other: Int) -> Int? {
        let (value, overflow) = addingReportingOverflow(other)
        return overflow ? nil : value
    }
}
