import TensorCore

/// The core's own pooling, where it does what a node asks for.
extension Call {
    func coreMaximumPooling(_ x: GraphValue, _ window: Window) throws -> GraphValue? {
        guard let tensor = x.tensor, isWithinCore(x, window), let ceiling = window.ceiling else { return nil }
        return GraphValue(MaxPooling(kernel: window.kernel, window: window.core, ceil: ceiling)(tensor))
    }

    func coreAveragePooling(_ x: GraphValue, _ window: Window, withPadding: Bool) throws -> GraphValue? {
        guard let tensor = x.tensor, isWithinCore(x, window), let ceiling = window.ceiling else { return nil }
        return GraphValue(
            AveragePooling(kernel: window.kernel, window: window.core, ceil: ceiling, countsPadding: withPadding)(
                tensor))
    }
}

extension Window {
    /// Whether the number of positions is that of rounding down (false) or of the core's rounding up (true); nil when of neither.
    fileprivate var ceiling: Bool? {
        func positions(_ axis: Int, up: Bool) -> Int {
            let room = input[axis] + padBefore[axis] + padAfter[axis] - dilations[axis] * (kernel[axis] - 1) - 1
            if room < 0 { return -1 }
            guard up else { return room / strides[axis] + 1 }
            let count = (room + strides[axis] - 1) / strides[axis] + 1
            return (count - 1) * strides[axis] >= input[axis] + padBefore[axis] ? count - 1 : count
        }
        return [false, true].first { up in kernel.indices.allSatisfy { positions($0, up: up) == output[$0] } }
    }
}
