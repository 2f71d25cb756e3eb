import CKernels

extension ConvolutionGeometry {
    /// `features = weight ∗ image (+ bias)`: image `[batch, channels, …]` → `[batch, outputs, …]`.
    func convolve(_ image: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
        let y = Tensor(uninitialised: features)
        let x = image.pointer, w = weight.pointer, out = y.mutablePointer, shift = bias?.pointer
        let blocks = (positions + block - 1) / block
        each(batch * groups * blocks, work: groupOutputs * depth * min(block, positions)) { scratch, piece in
            let sample = piece / blocks / groups, group = piece / blocks % groups
            let first = piece % blocks * block, count = min(block, positions - first)
            var window = window
            let packed = scratch.floats(0, ck_packed_count(depth, count))
            ck_unfold_packed_f32(
                &window, groupChannels, x + (sample * channels + group * groupChannels) * plane, first, count, packed,
                scratch.floats(2, ck_unfold_scratch(&window, count)))
            var product = ck_product()
            (product.m, product.n, product.k) = (groupOutputs, count, depth)
            (product.a, product.a_row, product.a_depth) = (w + group * groupOutputs * depth, depth, 1)
            product.packed = UnsafePointer(packed)
            (product.bias, product.bias_by_row) = (shift.map { $0 + group * groupOutputs }, 1)
            product.c = out + (sample * outputs + group * groupOutputs) * positions + first
            (product.c_row, product.c_column) = (positions, 1)
            ck_gemm_f32(&product)
        }
        return y
    }

    /// The transpose of `convolve` in its image: features `[batch, outputs, …]` → `[batch, channels, …]`, plus bias `[channels]`.
    func scatter(_ features: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
        let x = Tensor(uninitialised: image)
        let dy = features.pointer, out = x.mutablePointer, shift = bias?.pointer
        // [groups, depth, group outputs]: the left-hand side of the product.
        let transposed = Tensor(uninitialised: [groups, depth, groupOutputs])
        for group in 0..<groups {
            let start = group * groupOutputs * depth
            ck_transpose_f32(
                groupOutputs, depth, weight.pointer + start, depth, transposed.mutablePointer + start, groupOutputs)
        }
        let left = transposed.pointer
        // Pieces own whole channels of one image, so no two of them add to the same element.
        let pieces = max(1, min(groupChannels, 8 / max(batch * groups, 1)))
        each(batch * groups * pieces, work: groupOutputs * depth * positions / pieces) { scratch, piece in
            let sample = piece / pieces / groups, group = piece / pieces % groups
            let from = groupChannels * (piece % pieces) / pieces, to = groupChannels * (piece % pieces + 1) / pieces
            let channel = group * groupChannels + from
            let target = out + (sample * channels + channel) * plane
            for c in 0..<to - from {
                (target + c * plane).update(repeating: shift?[channel + c] ?? 0, count: plane)
            }
            var window = window
            let rows = (to - from) * taps
            for first in stride(from: 0, to: positions, by: block) {
                let count = min(block, positions - first)
                let packed = scratch.floats(0, ck_packed_count(groupOutputs, count))
                let columns = scratch.floats(1, rows * count)
                ck_pack(
                    groupOutputs, count, dy + (sample * outputs + group * groupOutputs) * positions + first, positions,
                    1,
                    packed)
                ck_gemm_packed_f32(
                    rows, count, groupOutputs, left + (group * depth + from * taps) * groupOutputs, groupOutputs,
                    packed,
                    nil, ck_identity, 0, columns, count)
                ck_fold_add_f32(
                    &window, to - from, columns, count, first, count, target,
                    scratch.floats(2, ck_unfold_scratch(&window, count)))
            }
        }
        return x
    }

    /// The gradient of `⟨convolve(image, weight), features⟩` with respect to the weight.
    ///
    /// Each thread sums a share of the images, and the shares are added in order: the result depends on the number of threads, not on
    /// timing.
    func correlate(_ image: Tensor, _ features: Tensor) -> Tensor {
        let x = image.pointer, dy = features.pointer
        let size = groups * depth * groupOutputs
        let parts = max(1, min(batch, WorkerPool.shared.threads, batch * size * positions / 500_000))
        let sums = Tensor(repeating: 0, [parts, groups, depth, groupOutputs])
        let out = sums.mutablePointer
        WorkerPool.shared.parallel(parts) { part in
            let scratch = ConvolutionScratch()
            var window = window
            for sample in batch * part / parts..<batch * (part + 1) / parts {
                for group in 0..<groups {
                    for first in stride(from: 0, to: positions, by: block) {
                        let count = min(block, positions - first)
                        let columns = scratch.floats(0, depth * count)
                        let packed = scratch.floats(1, ck_packed_count(count, groupOutputs))
                        ck_unfold_f32(
                            &window, groupChannels, x + (sample * channels + group * groupChannels) * plane, first,
                            count,
                            columns, count, scratch.floats(2, ck_unfold_scratch(&window, count)))
                        ck_pack(
                            count, groupOutputs, dy + (sample * outputs + group * groupOutputs) * positions + first, 1,
                            positions, packed)
                        ck_gemm_packed_f32(
                            depth, groupOutputs, count, columns, count, packed, nil, ck_identity, 1,
                            out + part * size + group * depth * groupOutputs, groupOutputs)
                    }
                }
            }
        }
        for part in 1..<max(parts, 1) { ck_axpy_f32(size, 1, out + part * size, out) }
        let result = Tensor(uninitialised: weight)
        for group in 0..<groups {
            let start = group * depth * groupOutputs
            ck_transpose_f32(
                depth, groupOutputs, out + start, groupOutputs, result.mutablePointer + start, depth)
        }
        return result
    }

    /// Runs `body` for each piece on the worker threads, neighbouring pieces on one thread with one scratch.
    private func each(_ count: Int, work: Int, _ body: (ConvolutionScratch, Int) -> Void) {
        let parts = min(parts(count, work: work), WorkerPool.shared.threads * 4)
        WorkerPool.shared.parallel(parts) { part in
            let scratch = ConvolutionScratch()
            for piece in count * part / parts..<count * (part + 1) / parts { body(scratch, piece) }
        }
    }
}

/// Buffers of one thread, kept between its pieces.
final class ConvolutionScratch {
    private var buffers: [Storage?] = [nil, nil, nil]

    /// At least `count` floats; contents are arbitrary.
    func floats(_ index: Int, _ count: Int) -> UnsafeMutablePointer<Float> {
        if let present = buffers[index], present.count >= count { return present.pointer }
        let buffer = Storage(count: max(count, 1))
        buffers[index] = buffer
        return buffer.pointer
    }
}

/// Sum of each channel of `[batch, channels, …]` → `[channels]`: the gradient of a bias.
func sumOfChannels(_ x: Tensor) -> Tensor {
    let batch = x.shape[0], channels = x.shape[1], plane = x.shape.dimensions.dropFirst(2).reduce(1, *)
    let sum = Tensor(uninitialised: [channels])
    for channel in 0..<channels {
        var total: Float = 0
        for sample in 0..<batch { total += ck_sum_f32(plane, x.pointer + (sample * channels + channel) * plane) }
        sum.mutablePointer[channel] = total
    }
    return sum
}
