import TensorCore

/// The core's own pooling, where it does what a node asks for.
extension Call {
    func coreMaximumPooling(_ x: GraphValue, _ window: Window) throws -> GraphValue? { nil }
    func coreAveragePooling(_ x: GraphValue, _ window: Window, withPadding: Bool) throws -> GraphValue? { nil }
}
