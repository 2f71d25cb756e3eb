import CKernels

/// What a packed convolution applies to its result while it is still in registers.
package enum Rectifier: Sendable {
    case identity, relu, relu6

    var kernel: ck_rectifier {
        switch self {
        case .identity: ck_rectify_none
        case .relu: ck_relu
        case .relu6: ck_relu6
        }
    }
}

/// Statistics of a batch norm in evaluation, one entry for each channel; weight and bias may be absent.
package typealias FrozenBatchNorm = (weight: Tensor?, bias: Tensor?, mean: Tensor, variance: Tensor, eps: Float)

/// A frozen convolution over pixels: batch norm folded into weight and bias, weights packed once, and
/// `y = activation(x ∗ w + b (+ residual))` in one pass. x `[batch, height, width, channels]` → `[batch, height, width, out]`.
///
/// Three kernels, chosen by shape: a product of all pixels with the weights (1 × 1), the same over the pixels under each tap,
/// without an unfolded copy (any other), and a depthwise one that keeps neighbouring outputs in registers. There is no gradient:
/// a tracked input is a programmer error.
/// An image's result does not depend on the other images of its batch, to the bit.
package struct PackedConvolution: Sendable {
    package static let name = "packed_convolution"
    package private(set) var window: Window
    package let groups: Int
    package let activation: Rectifier
    package let channels: Int
    package let outputs: Int
    let kernel: [Int]
    let weights: PackedFilters

    /// - Parameters:
    ///   - weight: `[out, channels / groups, height, width]`.
    ///   - bias: `[out]`.
    package init(
        weight: Tensor, bias: Tensor? = nil, batchNorm: FrozenBatchNorm? = nil, window: Window, groups: Int = 1,
        activation: Rectifier = .identity
    ) {
        precondition(
            weight.rank == 4 && window.rank == 2 && groups > 0 && weight.shape[0] % groups == 0,
            "\(Self.name): weight \(weight.shape) in \(groups) groups with a window of rank \(window.rank)")
        precondition(
            bias.map { $0.shape == [weight.shape[0]] } ?? true,
            "\(Self.name): bias \(bias?.shape ?? []) for weight \(weight.shape)")
        self.window = window
        self.groups = groups
        self.activation = activation
        channels = weight.shape[1] * groups
        outputs = weight.shape[0]
        kernel = [weight.shape[2], weight.shape[3]]
        weights = PackedFilters(folding: weight, bias: bias, batchNorm: batchNorm, groups: groups)
    }

    package var byteCount: Int { weights.byteCount }

    /// The same weights under another window, for padding that follows the size of the input.
    package func with(_ window: Window) -> PackedConvolution {
        precondition(window.rank == 2, "\(Self.name): a window of rank \(window.rank)")
        var copy = self
        copy.window = window
        return copy
    }

    package func callAsFunction(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
        precondition(
            !x.isTracked && !(residual?.isTracked ?? false),
            "\(Self.name) has no gradient, and its input is being trained; use Convolution")
        precondition(
            x.rank == 4 && x.shape[3] == channels,
            "\(Self.name): x \(x.shape), weight [\(outputs), \(channels / groups), \(kernel[0]), \(kernel[1])]")
        let positions = window.output(Self.name, [x.shape[1], x.shape[2]], kernel: kernel)
        let y = Tensor(uninitialised: [x.shape[0], positions[0], positions[1], outputs])
        precondition(
            residual.map { $0.shape == y.shape } ?? true,
            "\(Self.name): residual \(residual?.shape ?? []) for an output of \(y.shape)")
        let dense = x.contiguous(), other = residual?.contiguous()
        if weights.isDepthwise {
            depthwise(dense, other == nil ? activation : .identity, y)
            if let other { add(other, to: y) }
        } else if isPointwise {
            pointwise(dense, other, y)
        } else {
            bands(dense, other, y)
        }
        return y
    }

    /// Whether every pixel is a row of one product.
    var isPointwise: Bool {
        kernel == [1, 1] && window.stride == [1, 1] && window.before == [0, 0] && window.after == [0, 0] && groups == 1
            && !weights.isDepthwise
    }

    private func pointwise(_ x: Tensor, _ residual: Tensor?, _ y: Tensor) {
        let pixels = y.shape.rows, parts = parts(pixels, multiplies: channels * outputs)
        WorkerPool.shared.parallel(parts) { part in
            let first = pixels * part / parts, count = pixels * (part + 1) / parts - first
            pointwise(
                count, x.pointer + first * channels, residual: residual.map { $0.pointer + first * outputs },
                y.mutablePointer + first * outputs)
        }
    }

    /// The product of `pixels` neighbouring pixels, on this thread.
    func pointwise(
        _ pixels: Int, _ x: UnsafePointer<Float>, residual: UnsafePointer<Float>?, _ y: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: 0) { tap in
            var product = ck_pixel_product(
                output_width: max(pixels, 1), row_step: 0, column_step: channels, tap_count: 1, run: channels,
                taps: tap,
                columns: outputs)
            ck_convolve_pixels_f32(
                &product, 0, pixels, x, weights.packed, weights.bias, residual, activation.kernel, y, outputs)
        }
    }

    /// Output rows in bands. Where the window hangs over the border, the band's input is first copied with zeros around it: no
    /// inner loop asks where the border is.
    private func bands(_ x: Tensor, _ residual: Tensor?, _ y: Tensor) {
        let (height, width) = (x.shape[1], x.shape[2]), (rows, columns) = (y.shape[1], y.shape[2])
        let span = window.span(kernel), pads = window.before != [0, 0] || window.after != [0, 0]
        let stored = pads ? (columns - 1) * window.stride[1] + span[1] : width
        let perBand = bandRows(rows: rows, columns: columns, batch: x.shape[0], stored: stored)
        let perImage = (rows + perBand - 1) / perBand, bands = x.shape[0] * perImage
        // Along a row, the taps of neighbouring columns are neighbours in memory.
        let merged = groups == 1 && window.dilation[1] == 1
        let run = merged ? kernel[1] * channels : channels / groups
        var taps: [Int] = []
        for ky in 0..<kernel[0] {
            for kx in 0..<(merged ? 1 : kernel[1]) {
                taps.append((ky * window.dilation[0] * stored + kx * window.dilation[1]) * channels)
            }
        }
        let columnsOut = outputs / groups
        taps.withUnsafeBufferPointer { taps in
            var product = ck_pixel_product(
                output_width: columns, row_step: window.stride[0] * stored * channels,
                column_step: window.stride[1] * channels, tap_count: taps.count, run: run, taps: taps.baseAddress,
                columns: columnsOut)
            let parts = min(
                bands, parts(x.shape[0] * rows, multiplies: columns * columnsOut * kernel[0] * kernel[1] * channels))
            withUnsafePointer(to: &product) { product in
                WorkerPool.shared.parallel(parts) { part in
                    let scratch = ConvolutionScratch()
                    for band in bands * part / parts..<bands * (part + 1) / parts {
                        let image = band / perImage, first = band % perImage * perBand
                        let count = min(perBand, rows - first)
                        var source = x.pointer + image * height * width * channels
                        if pads {
                            source = padded(
                                source, height: height, width: width, stored: stored,
                                from: first * window.stride[0] - window.before[0],
                                rows: (count - 1) * window.stride[0] + span[0], scratch)
                        } else {
                            source += first * window.stride[0] * width * channels
                        }
                        let start = (image * rows + first) * columns * outputs
                        for group in 0..<groups {
                            let offset = start + group * columnsOut
                            ck_convolve_pixels_f32(
                                product, 0, count * columns, source + group * (channels / groups),
                                weights.packed + group * weights.groupStride, weights.bias + group * columnsOut,
                                residual.map { $0.pointer + offset }, activation.kernel, y.mutablePointer + offset,
                                outputs)
                        }
                    }
                }
            }
        }
    }

    /// Rows of a band: its input stays in the cache, and every thread has something to do.
    private func bandRows(rows: Int, columns: Int, batch: Int, stored: Int) -> Int {
        let cached = 40_000 / max(stored * channels * window.stride[0], 1)
        let wanted = max(cached, (96 + columns - 1) / max(columns, 1))
        let threads = WorkerPool.shared.threads
        let shared = batch >= threads ? rows : max((rows * batch + threads * 2 - 1) / (threads * 2), 1)
        return max(1, min(rows, wanted, shared))
    }

    private func padded(
        _ x: UnsafePointer<Float>, height: Int, width: Int, stored: Int, from: Int, rows: Int,
        _ scratch: ConvolutionScratch
    ) -> UnsafePointer<Float> {
        let target = scratch.floats(0, rows * stored * channels), left = min(window.before[1], stored)
        let copied = max(min(width, stored - left), 0), right = stored - left - copied
        for row in 0..<rows {
            let line = target + row * stored * channels, source = from + row
            guard source >= 0, source < height else {
                line.update(repeating: 0, count: stored * channels)
                continue
            }
            line.update(repeating: 0, count: left * channels)
            (line + left * channels).update(from: x + source * width * channels, count: copied * channels)
            (line + (left + copied) * channels).update(repeating: 0, count: right * channels)
        }
        return UnsafePointer(target)
    }

    private func depthwise(_ x: Tensor, _ activation: Rectifier, _ y: Tensor) {
        let (rows, columns) = (y.shape[1], y.shape[2]), all = y.shape[0] * rows
        let parts = parts(all, multiplies: columns * channels * kernel[0] * kernel[1] * 4)
        var window = ck_window(
            input: [x.shape[1], x.shape[2]], output: [rows, columns], kernel: kernel, window: window)
        withUnsafePointer(to: &window) { window in
            WorkerPool.shared.parallel(parts) { part in
                var row = all * part / parts
                let end = all * (part + 1) / parts
                while row < end {
                    let image = row / rows, first = row % rows, last = min(rows, first + end - row)
                    ck_depthwise_pixels_f32(
                        window, channels, first, last, x.pointer + image * x.shape[1] * x.shape[2] * channels,
                        weights.packed, weights.bias, activation.kernel,
                        y.mutablePointer + image * rows * columns * channels)
                    row += last - first
                }
            }
        }
    }

    /// The depthwise kernel knows no residual; no architecture has one there, so a second pass will do.
    private func add(_ residual: Tensor, to y: Tensor) {
        let values = y.mutablePointer
        ck_axpy_f32(y.count, 1, residual.pointer, values)
        if activation == .identity { return }
        for i in 0..<y.count {
            if values[i] < 0 { values[i] = 0 }
            if activation == .relu6, values[i] > 6 { values[i] = 6 }
        }
    }

    /// Parts to cut `count` pieces into: a few for each thread, none smaller than a wake-up is worth.
    private func parts(_ count: Int, multiplies: Int) -> Int {
        max(1, min(count, WorkerPool.shared.threads * 4, count * multiplies / 300_000))
    }
}
