/// How a window moves over the spatial axes of `[batch, channels, …]`.
struct Window {
    let kernel: [Int]
    let strides: [Int]
    let dilations: [Int]
    let padBefore: [Int]
    let padAfter: [Int]
    /// Extents of the spatial axes it moves over, and of the result.
    let input: [Int]
    let output: [Int]

    var kernelCount: Int { kernel.reduce(1, *) }
    var inputCount: Int { input.reduce(1, *) }
    var outputCount: Int { output.reduce(1, *) }

    /// Position along `axis` of the input that tap `k` of the window at `o` sees; −1 in the padding.
    func source(_ axis: Int, _ k: Int, _ o: Int) -> Int {
        let position = o * strides[axis] + k * dilations[axis] - padBefore[axis]
        return position >= 0 && position < input[axis] ? position : -1
    }

    /// For each tap of the kernel, in order, the spatial offset seen at each output position; −1 in the padding.
    func offsets() -> [[Int32]] {
        let strides = rowStrides(input)
        var taps: [[Int32]] = []
        for tap in 0..<kernelCount {
            var rest = tap, index = [Int](repeating: 0, count: kernel.count)
            for axis in kernel.indices.reversed() {
                index[axis] = rest % kernel[axis]
                rest /= kernel[axis]
            }
            var map: [Int32] = [0]
            for axis in kernel.indices {
                let sources = (0..<output[axis]).map { source(axis, index[axis], $0) }
                var next: [Int32] = []
                next.reserveCapacity(map.count * sources.count)
                for base in map {
                    for source in sources {
                        next.append(base < 0 || source < 0 ? -1 : base + Int32(source * strides[axis]))
                    }
                }
                map = next
            }
            taps.append(map)
        }
        return taps
    }
}

extension Call {
    /// The window of a convolution or pooling node over an input `[batch, channels, …]`.
    func window(over x: GraphValue, kernel given: [Int]? = nil, ceiling: Bool = false) throws -> Window {
        let spatial = try spatialExtents(x)
        let kernel = try sizes("kernel_shape", spatial.count, given)
        let strides = try sizes("strides", spatial.count, nil), dilations = try sizes("dilations", spatial.count, nil)
        let effective = zip(kernel, dilations).map { ($0 - 1) * $1 + 1 }
        let automatic = try string("auto_pad", "NOTSET")
        var before = [Int](repeating: 0, count: spatial.count), after = before, output = before
        switch automatic {
        case "NOTSET", "":
            (before, after) = try pads(spatial.count)
            for axis in spatial.indices {
                let span = spatial[axis] + before[axis] + after[axis] - effective[axis]
                try require(
                    span >= 0, .shapeMismatch,
                    "a kernel of \(kernel[axis])\(dilations[axis] > 1 ? ", dilated by \(dilations[axis])," : "") does not fit axis \(axis + 2) of shape "
                        + "\(text(x.shape)) with pads \(before[axis]) and \(after[axis])")
                output[axis] = (ceiling ? (span + strides[axis] - 1) : span) / strides[axis] + 1
                // A last window that would start in the padding behind the data is left out.
                if ceiling, (output[axis] - 1) * strides[axis] >= spatial[axis] + before[axis] { output[axis] -= 1 }
            }
        case "VALID":
            for axis in spatial.indices {
                let span = spatial[axis] - effective[axis]
                try require(
                    span >= 0, .shapeMismatch,
                    "a kernel of \(kernel[axis]) does not fit axis \(axis + 2) of shape \(text(x.shape))")
                output[axis] = span / strides[axis] + 1
            }
        case "SAME_UPPER", "SAME_LOWER":
            for axis in spatial.indices {
                output[axis] = (spatial[axis] + strides[axis] - 1) / strides[axis]
                let total = max(0, (output[axis] - 1) * strides[axis] + effective[axis] - spatial[axis])
                before[axis] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2
                after[axis] = total - before[axis]
            }
        default: throw error(.badValue, "auto_pad \"\(automatic)\" is not NOTSET, VALID, SAME_UPPER or SAME_LOWER")
        }
        try reserve(kernel + output, .float32)
        return Window(
            kernel: kernel, strides: strides, dilations: dilations, padBefore: before, padAfter: after, input: spatial,
            output: output)
    }

    func spatialExtents(_ x: GraphValue) throws -> [Int] {
        try require(
            x.rank >= 3, .shapeMismatch, "shape \(text(x.shape)) is not [batch, channels, …] with a spatial axis")
        return Array(x.shape[2...])
    }

    /// A list of positive sizes, one for each spatial axis; ones when it is left out.
    func sizes(_ name: String, _ count: Int, _ standard: [Int]?) throws -> [Int] {
        let values = try ints(name) ?? standard ?? [Int](repeating: 1, count: count)
        try require(values.count == count, .shapeMismatch, "\(name) \(values) for \(count) spatial axes")
        for value in values { try require(value > 0 && value < 1 << 24, .badValue, "\(name) \(values)") }
        return values
    }

    func pads(_ count: Int) throws -> (before: [Int], after: [Int]) {
        let values = try ints("pads") ?? [Int](repeating: 0, count: 2 * count)
        try require(
            values.count == 2 * count, .shapeMismatch,
            "pads \(values) for \(count) spatial axes; two an axis are needed")
        for value in values { try require(value >= 0 && value < 1 << 24, .badValue, "pads \(values)") }
        return (Array(values[..<count]), Array(values[count...]))
    }

    /// Every window's elements: `[batch, channels, output, kernel]`, flattened spatially; `fill` in the padding.
    func windows(_ x: GraphValue, _ window: Window, fill: Double) throws -> GraphValue {
        let shape = [x.shape[0], x.shape[1], window.outputCount, window.kernelCount]
        return try select(x, shape, fill: fill) { windowMap(x, window) }
    }

    func windowMap(_ x: GraphValue, _ window: Window) -> [Int32] {
        let taps = window.offsets(), planes = x.shape[0] * x.shape[1], each = window.inputCount
        var map: [Int32] = []
        map.reserveCapacity(planes * window.outputCount * window.kernelCount)
        for plane in 0..<planes {
            let base = Int32(plane * each)
            for o in 0..<window.outputCount { for tap in taps { map.append(tap[o] < 0 ? -1 : base + tap[o]) } }
        }
        return map
    }
}
