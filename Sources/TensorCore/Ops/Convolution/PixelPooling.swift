import CKernels

/// Pooling over pixels, for inference beside `PackedConvolution`: x `[batch, height, width, channels]`.
package struct PixelPooling: Sendable {
    package enum Kind: Sendable {
        case maximum
        /// Divided by the elements inside the image.
        case average
        /// Divided by the kernel's size. Not with `ceil`: the last window then hangs over more than the padding.
        case averageCountingPadding
    }

    package static let name = "pixel_pooling"
    package let kind: Kind
    package let kernel: [Int]
    package let window: Window
    package let ceil: Bool

    package init(_ kind: Kind, kernel: [Int], window: Window, ceil: Bool = false) {
        precondition(
            window.rank == 2 && kernel.count == 2 && (kind != .averageCountingPadding || !ceil),
            "\(Self.name): a kernel of \(kernel), a window of rank \(window.rank), ceil \(ceil)")
        self.kind = kind
        self.kernel = kernel
        self.window = window
        self.ceil = ceil
    }

    package func callAsFunction(_ x: Tensor) -> Tensor {
        precondition(!x.isTracked, "\(Self.name) has no gradient, and its input is being trained; use a pooling op")
        precondition(x.rank == 4, "\(Self.name): x \(x.shape) is not [batch, height, width, channels]")
        let input = [x.shape[1], x.shape[2]], dense = x.contiguous()
        let cells = window.output(Self.name, input, kernel: kernel, ceil: ceil)
        let y = Tensor(uninitialised: [x.shape[0], cells[0], cells[1], x.shape[3]])
        let average: Int32 =
            switch kind {
            case .maximum: 0
            case .average: 1
            case .averageCountingPadding: 2
            }
        let images = x.shape[0], channels = x.shape[3]
        var window = ck_window(input: input, output: cells, kernel: kernel, window: window)
        let parts = max(1, min(images, WorkerPool.shared.threads * 4, y.count * kernel[0] * kernel[1] / 100_000))
        withUnsafePointer(to: &window) { window in
            WorkerPool.shared.parallel(parts) { part in
                for image in images * part / parts..<images * (part + 1) / parts {
                    ck_pool_pixels_f32(
                        window, channels, 0, cells[0], average, dense.pointer + image * input[0] * input[1] * channels,
                        y.mutablePointer + image * cells[0] * cells[1] * channels)
                }
            }
        }
        return y
    }

    /// Mean over all pixels: `[batch, height, width, channels]` → `[batch, channels]`.
    package static func mean(_ x: Tensor) -> Tensor {
        precondition(!x.isTracked, "\(name) has no gradient, and its input is being trained; use a pooling op")
        precondition(x.rank == 4, "\(name): x \(x.shape) is not [batch, height, width, channels]")
        let dense = x.contiguous(), pixels = x.shape[1] * x.shape[2], channels = x.shape[3]
        let y = Tensor(uninitialised: [x.shape[0], channels])
        for image in 0..<x.shape[0] {
            ck_mean_rows_f32(
                pixels, channels, dense.pointer + image * pixels * channels, channels,
                y.mutablePointer + image * channels)
        }
        return y
    }
}

/// Layouts of images, without history.
extension Tensor {
    /// `[batch, channels, height, width]` → `[batch, height, width, channels]`.
    package var channelsLast: Tensor {
        precondition(rank == 4, "channelsLast: \(shape)")
        return swapped(rows: shape[1], columns: shape[2] * shape[3], [shape[0], shape[2], shape[3], shape[1]])
    }

    /// `[batch, height, width, channels]` → `[batch, channels, height, width]`.
    package var channelsFirst: Tensor {
        precondition(rank == 4, "channelsFirst: \(shape)")
        return swapped(rows: shape[1] * shape[2], columns: shape[3], [shape[0], shape[3], shape[1], shape[2]])
    }

    private func swapped(rows: Int, columns: Int, _ shape: Shape) -> Tensor {
        let dense = contiguous(), result = Tensor(uninitialised: shape)
        for image in 0..<shape[0] {
            let start = image * rows * columns
            ck_transpose_f32(rows, columns, dense.pointer + start, columns, result.mutablePointer + start, rows)
        }
        return result
    }
}

/// `body` over the images of a batch `[batch, …]`, a few at a time, on the worker threads, its results joined again in order: a whole
/// network runs over images whose feature maps stay in the cache, and threads meet once. An image's result must not depend on the
/// others.
package func overImages(_ x: Tensor, atATime count: Int = 1, _ body: (Tensor) -> Tensor) -> Tensor {
    precondition(x.rank > 0 && x.shape[0] > 0 && count > 0, "overImages: \(x.shape), \(count) at a time")
    let chunks = (x.shape[0] + count - 1) / count
    if chunks < WorkerPool.shared.threads { return body(x) }
    var results = [Tensor?](repeating: nil, count: chunks)
    results.withUnsafeMutableBufferPointer { results in
        let target = results.baseAddress
        WorkerPool.shared.parallel(chunks) { chunk in
            target?[chunk] = body(x.rows(chunk * count..<min((chunk + 1) * count, x.shape[0])))
        }
    }
    let parts = results.compactMap { $0?.contiguous() }
    let joined = Tensor(uninitialised: Shape([x.shape[0]] + parts[0].shape.dimensions.dropFirst()))
    var start = joined.mutablePointer
    for part in parts {
        start.update(from: part.pointer, count: part.count)
        start += part.count
    }
    return joined
}
