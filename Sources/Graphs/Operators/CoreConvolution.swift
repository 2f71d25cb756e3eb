import TensorCore

/// The core's own convolutions, where they do what a node asks for: one to three spatial axes, nothing empty.
extension Call {
    func coreConvolution(
        _ x: GraphValue, _ weight: GraphValue, _ bias: GraphValue?, _ window: Window, _ groups: Int
    ) throws -> GraphValue? {
        guard let image = x.tensor, let kernel = weight.tensor, isWithinCore(x, window), weight.count > 0 else {
            return nil
        }
        let op = Convolution(window.core, groups: groups)
        return GraphValue(op.apply([image, kernel] + [bias?.tensor].compactMap(\.self)))
    }

    func coreTransposedConvolution(
        _ x: GraphValue, _ weight: GraphValue, _ bias: GraphValue?, _ window: Window, _ groups: Int
    ) throws -> GraphValue? {
        guard let features = x.tensor, let kernel = weight.tensor, isWithinCore(x, window), weight.count > 0 else {
            return nil
        }
        // The window is that of the convolution whose transpose this is: its input is our result.
        let extra = window.input.indices.map { axis in
            let span = window.dilations[axis] * (window.kernel[axis] - 1) + 1
            return window.input[axis]
                - ((window.output[axis] - 1) * window.strides[axis] - window.padBefore[axis] - window.padAfter[axis]
                    + span)
        }
        guard zip(extra, window.strides).allSatisfy({ $0 >= 0 && $0 < $1 }) else { return nil }
        let op = TransposedConvolution(window.core, groups: groups, outputPadding: extra)
        return GraphValue(op.apply([features, kernel] + [bias?.tensor].compactMap(\.self)))
    }

    func isWithinCore(_ x: GraphValue, _ window: Window) -> Bool {
        (1...3).contains(window.kernel.count) && x.count > 0 && window.outputCount > 0
    }
}

extension Window {
    var core: TensorCore.Window {
        TensorCore.Window(stride: strides, dilation: dilations, before: padBefore, after: padAfter)
    }
}
