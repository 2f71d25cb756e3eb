import TensorCore

/// The core's own convolutions, where they do what a node asks for.
extension Call {
    func coreConvolution(
        _ x: GraphValue, _ weight: GraphValue, _ bias: GraphValue?, _ window: Window, _ groups: Int
    ) throws -> GraphValue? { nil }

    func coreTransposedConvolution(
        _ x: GraphValue, _ weight: GraphValue, _ bias: GraphValue?, _ window: Window, _ groups: Int
    ) throws -> GraphValue? { nil }
}
