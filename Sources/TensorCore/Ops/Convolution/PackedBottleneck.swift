import CKernels

/// Expand, filter each channel, reduce (Sandler et al. 2018): a 1 × 1 convolution, a depthwise one and another 1 × 1, in bands of
/// rows. The expanded map, six times as wide as what goes in and out, never leaves the cache: a band's depthwise rows are computed as
/// soon as their input is there, and the rows that the next band needs again are kept.
/// x `[batch, height, width, channels]` → `[batch, height, width, out]`, with the same bits as the three layers one after the other.
package struct PackedBottleneck: Sendable {
    package static let name = "packed_bottleneck"
    package let expand: PackedConvolution
    package let depthwise: PackedConvolution
    package let reduce: PackedConvolution

    package init(expand: PackedConvolution, depthwise: PackedConvolution, reduce: PackedConvolution) {
        precondition(
            expand.isPointwise && reduce.isPointwise && depthwise.weights.isDepthwise
                && expand.outputs == depthwise.channels && depthwise.outputs == reduce.channels,
            """
            \(Self.name): \(expand.channels) to \(expand.outputs), \(depthwise.channels) in \(depthwise.groups) groups, \
            \(reduce.channels) to \(reduce.outputs) channels
            """)
        self.expand = expand
        self.depthwise = depthwise
        self.reduce = reduce
    }

    /// - Parameter adds: whether x is added to the result; the shapes must then be equal.
    package func callAsFunction(_ x: Tensor, adds: Bool) -> Tensor {
        precondition(!x.isTracked, "\(Self.name) has no gradient, and its input is being trained")
        precondition(
            x.rank == 4 && x.shape[3] == expand.channels, "\(Self.name): x \(x.shape), \(expand.channels) channels")
        let rows = depthwise.window.output(
            Self.name, [x.shape[1], x.shape[2]], kernel: depthwise.kernel)
        let y = Tensor(uninitialised: [x.shape[0], rows[0], rows[1], reduce.outputs]), dense = x.contiguous()
        precondition(!adds || y.shape == x.shape, "\(Self.name): x \(x.shape) added to an output of \(y.shape)")
        // Strips of an image compute the rows at their border twice; only few images are cut.
        let images = x.shape[0],
            strips = images >= WorkerPool.shared.threads ? 1 : min(rows[0], WorkerPool.shared.threads)
        WorkerPool.shared.parallel(images * strips) { part in
            let strip = part % strips
            bands(dense, part / strips, rows[0] * strip / strips..<rows[0] * (strip + 1) / strips, adds, y)
        }
        return y
    }

    private func bands(_ x: Tensor, _ image: Int, _ strip: Range<Int>, _ adds: Bool, _ y: Tensor) {
        let (height, width) = (x.shape[1], x.shape[2]), (rows, columns) = (y.shape[1], y.shape[2])
        let window = depthwise.window, stride = window.stride[0], before = window.before[0]
        let span = window.span(depthwise.kernel)[0], line = width * expand.outputs
        let perBand = max(1, min(strip.count, (100_000 / max(line, 1) - span) / stride + 1))
        let scratch = ConvolutionScratch()
        let expanded = scratch.floats(0, ((perBand - 1) * stride + span) * line)
        let filtered = scratch.floats(1, perBand * columns * depthwise.outputs)
        let source = x.pointer + image * height * width * expand.channels
        let target = y.mutablePointer + image * rows * columns * reduce.outputs
        // Input rows first ..< end are in `expanded`.
        var first = 0, end = 0
        for band in Swift.stride(from: strip.lowerBound, to: strip.upperBound, by: perBand) {
            let count = min(perBand, strip.upperBound - band), top = band * stride - before
            let from = min(max(top, 0), height), to = max(min((count - 1) * stride + top + span, height), from)
            if end > from {
                expanded.update(from: expanded + (from - first) * line, count: (end - from) * line)
            } else {
                end = from
            }
            expand.pointwise(
                (to - end) * width, source + end * width * expand.channels, residual: nil,
                expanded + (end - from) * line)
            (first, end) = (from, to)
            // The window over the rows at hand: what is cut off above counts as padding.
            var local = ck_window(
                input: [to - from, width], output: [count, columns], kernel: depthwise.kernel, window: window)
            local.before.1 = from - top
            ck_depthwise_pixels_f32(
                &local, depthwise.channels, 0, count, expanded, depthwise.weights.packed, depthwise.weights.bias,
                depthwise.activation.kernel, filtered)
            let offset = band * columns * reduce.outputs
            reduce.pointwise(count * columns, filtered, residual: adds ? source + offset : nil, target + offset)
        }
    }
}
