import TensorCore

extension OperatorTable {
    static let convolution: [Operator] = [
        Operator("Conv", since: 11, "T T T?", ["T": .floats], widens: true) { call in [try call.convolution()] },
        Operator("ConvTranspose", since: 11, "T T T?", ["T": .floats], widens: true) { call in
            [try call.transposedConvolution()]
        },
    ]
}

extension Call {
    /// x `[batch, channels, …]`, W `[maps, channels / groups, kernel…]` → `[batch, maps, …]`: every window laid out as a column, and
    /// one stack of matrix products.
    fileprivate func convolution() throws -> GraphValue {
        let x = try input(0), weight = try input(1), groups = try int("group", 1)
        try require(
            weight.rank == x.rank && groups > 0 && weight.rank >= 3 && x.shape[1] % groups == 0
                && x.shape[1] / groups == weight.shape[1]
                && weight.shape[0] % groups == 0, .shapeMismatch,
            "weight of shape \(text(weight.shape)) in \(groups) group(s) does not fit an input of shape \(text(x.shape))"
        )
        let kernel = Array(weight.shape[2...])
        let window = try window(over: x, kernel: kernel)
        try require(
            window.kernel == kernel, .shapeMismatch,
            "kernel_shape \(window.kernel) and a weight of shape \(text(weight.shape))")
        let batch = x.shape[0], maps = weight.shape[0], depth = weight.shape[1] * window.kernelCount
        let shape = [batch, maps] + window.output
        let bias = try channelBias(2, maps)
        try reserve(shape, x.type)
        if let core = try coreConvolution(x, weight, bias, window, groups) { return core }
        let columns = try columns(x, window, groups: groups)
        let flat = try matmul(reshape(weight, [groups, maps / groups, depth]), columns)
        let product = try reshape(
            permute(reshape(flat, [maps, batch, window.outputCount]), [1, 0, 2]), shape)
        return try withBias(product, bias)
    }

    /// `[groups, channels / groups · kernel, batch · output]`
    private func columns(_ x: GraphValue, _ window: Window, groups: Int) throws -> GraphValue {
        let batch = x.shape[0], channels = x.shape[1], each = window.inputCount
        let shape = [groups, channels / groups * window.kernelCount, batch * window.outputCount]
        return try select(x, shape) {
            let taps = window.offsets()
            var map: [Int32] = []
            map.reserveCapacity(channels * window.kernelCount * batch * window.outputCount)
            for channel in 0..<channels {
                for tap in taps {
                    for row in 0..<batch {
                        let base = Int32((row * channels + channel) * each)
                        for offset in tap { map.append(offset < 0 ? -1 : base + offset) }
                    }
                }
            }
            return map
        }
    }

    private func channelBias(_ index: Int, _ maps: Int) throws -> GraphValue? {
        guard let bias = optional(index) else { return nil }
        try require(bias.shape == [maps], .shapeMismatch, "bias of shape \(text(bias.shape)) for \(maps) maps")
        return bias
    }

    private func withBias(_ x: GraphValue, _ bias: GraphValue?) throws -> GraphValue {
        guard let bias else { return x }
        return try add(x, reshape(bias, [bias.count] + [Int](repeating: 1, count: x.rank - 2)))
    }

    /// The transpose of a convolution: x `[batch, channels, …]`, W `[channels, maps / groups, kernel…]`.
    fileprivate func transposedConvolution() throws -> GraphValue {
        let x = try input(0), weight = try input(1), groups = try int("group", 1)
        try require(
            weight.rank == x.rank && weight.rank >= 3 && groups > 0 && weight.shape[0] == x.shape[1]
                && x.shape[1] % groups == 0,
            .shapeMismatch,
            "weight of shape \(text(weight.shape)) in \(groups) group(s) does not fit an input of shape \(text(x.shape))"
        )
        let kernel = Array(weight.shape[2...])
        try require(
            kernel.allSatisfy { $0 > 0 && $0 < 1 << 24 }, .shapeMismatch, "weight of shape \(text(weight.shape))")
        let window = try transposedWindow(over: x, kernel: kernel)
        let batch = x.shape[0], channels = x.shape[1], each = weight.shape[1]
        guard let maps = each.times(groups) else { throw error(.tooLarge, "\(each) maps in \(groups) groups") }
        let shape = [batch, maps] + window.input
        let bias = try channelBias(2, maps)
        try reserve(shape, x.type)
        if let core = try coreTransposedConvolution(x, weight, bias, window, groups) { return core }
        let depth = each * window.kernelCount, positions = window.outputCount
        let rows = try permute(reshape(weight, [groups, channels / groups, depth]), [0, 2, 1])
        let data = try reshape(
            permute(reshape(x, [batch, channels, positions]), [1, 0, 2]),
            [groups, channels / groups, batch * positions])
        // [groups, maps / groups · kernel, batch · positions], each of which adds to one element of the result.
        let taps = try matmul(rows, data)
        let sums = try scatterSum(taps, shape) {
            let offsets = window.offsets(), size = window.inputCount
            var map: [Int32] = []
            map.reserveCapacity(taps.count)
            for output in 0..<maps {
                for tap in offsets {
                    for row in 0..<batch {
                        let base = Int32((row * maps + output) * size)
                        for offset in tap { map.append(offset < 0 ? -1 : base + offset) }
                    }
                }
            }
            return map
        }
        return try withBias(sums, bias)
    }

    /// The window of the convolution this one is the transpose of: its input is our result.
    private func transposedWindow(over x: GraphValue, kernel: [Int]) throws -> Window {
        let spatial = try spatialExtents(x), count = spatial.count
        let given = try sizes("kernel_shape", count, kernel)
        try require(given == kernel, .shapeMismatch, "kernel_shape \(given) and a weight with the kernel \(kernel)")
        let strides = try sizes("strides", count, nil), dilations = try sizes("dilations", count, nil)
        let extra = try ints("output_padding") ?? [Int](repeating: 0, count: count)
        try require(
            extra.count == count && extra.allSatisfy { $0 >= 0 && $0 < 1 << 24 }, .badValue,
            "output_padding \(extra) for \(count) spatial axes")
        let automatic = try string("auto_pad", "NOTSET")
        let effective = zip(kernel, dilations).map { ($0 - 1) * $1 + 1 }
        func full(_ axis: Int) -> Int { strides[axis] * (spatial[axis] - 1) + extra[axis] + effective[axis] }
        for axis in spatial.indices {
            try require(spatial[axis] > 0, .shapeMismatch, "axis \(axis + 2) of shape \(text(x.shape)) is empty")
        }
        var (before, after) = try pads(count)
        var output = [Int](repeating: 0, count: count)
        let wanted = try ints("output_shape")
        if let wanted {
            try require(wanted.count == count, .shapeMismatch, "output_shape \(wanted) for \(count) spatial axes")
        }
        if wanted != nil || automatic == "SAME_UPPER" || automatic == "SAME_LOWER" {
            for axis in spatial.indices {
                output[axis] = wanted?[axis] ?? spatial[axis] * strides[axis]
                try require(output[axis] > 0, .badValue, "output_shape \(wanted ?? output)")
                let total = max(0, full(axis) &- output[axis])
                before[axis] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2
                after[axis] = total - before[axis]
            }
        } else {
            if automatic == "VALID" {
                (before, after) = ([Int](repeating: 0, count: count), [Int](repeating: 0, count: count))
            }
            try require(
                automatic == "NOTSET" || automatic == "VALID" || automatic.isEmpty, .badValue,
                "auto_pad \"\(automatic)\" is not NOTSET, VALID, SAME_UPPER or SAME_LOWER")
            for axis in spatial.indices { output[axis] = full(axis) - before[axis] - after[axis] }
            try require(
                output.allSatisfy { $0 > 0 }, .shapeMismatch,
                "pads \(before) and \(after) leave nothing of shape \(text(x.shape))")
        }
        try reserve(kernel + spatial, .float32)
        return Window(
            kernel: kernel, strides: strides, dilations: dilations, padBefore: before, padAfter: after, input: output,
            output: spatial)
    }
}
