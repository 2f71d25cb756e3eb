import CKernels

/// Weights of a frozen convolution in the order its kernel reads them. `Sendable`: nothing changes after `init`.
final class PackedFilters: @unchecked Sendable {
    // `@unchecked`: the buffers are written only in `init` and read afterwards.
    let isDepthwise: Bool
    /// Dense: for each group, panels of `[taps · channels / groups, out / groups]`. Depthwise: `[taps, channels]`.
    let packed: UnsafeMutablePointer<Float>
    let bias: UnsafeMutablePointer<Float>
    /// Floats between the panels of two groups.
    let groupStride: Int
    let byteCount: Int

    /// `w' = w · s`, `b' = (b − mean) · s + shift` with `s = weight / √(variance + eps)`.
    init(folding weight: Tensor, bias: Tensor?, batchNorm: FrozenBatchNorm?, groups: Int) {
        let outputs = weight.shape[0], channels = weight.shape[1], taps = weight.shape[2] * weight.shape[3]
        var scale = [Float](repeating: 1, count: outputs), shift = bias?.values ?? [Float](repeating: 0, count: outputs)
        if let norm = batchNorm {
            let statistics = [norm.weight, norm.bias, norm.mean, norm.variance]
            precondition(
                statistics.allSatisfy { $0.map { $0.shape == [outputs] } ?? true },
                "\(PackedConvolution.name): batch norm of \(statistics.map { $0?.shape ?? [] }) for weight \(weight.shape)"
            )
            let mean = norm.mean.values, variance = norm.variance.values
            let gamma = norm.weight?.values, beta = norm.bias?.values
            for i in 0..<outputs {
                scale[i] = (gamma?[i] ?? 1) / (variance[i] + norm.eps).squareRoot()
                shift[i] = (shift[i] - mean[i]) * scale[i] + (beta?[i] ?? 0)
            }
        }
        // [out, taps, channels / groups]
        let dense = weight.contiguous(), ordered = Tensor(uninitialised: [outputs, taps, channels])
        for output in 0..<outputs {
            for channel in 0..<channels {
                for tap in 0..<taps {
                    ordered.mutablePointer[(output * taps + tap) * channels + channel] =
                        dense.pointer[(output * channels + channel) * taps + tap] * scale[output]
                }
            }
        }
        let depth = taps * channels, columns = outputs / groups
        isDepthwise = channels == 1 && columns == 1 && groups > 1
        groupStride = ck_packed_count(depth, columns)
        let count = isDepthwise ? taps * groups : groups * groupStride
        packed = .allocate(capacity: max(count, 1))
        self.bias = .allocate(capacity: max(outputs, 1))
        self.bias.update(from: shift, count: outputs)
        byteCount = (count + outputs) * MemoryLayout<Float>.stride
        if isDepthwise {
            ck_transpose_f32(outputs, taps, ordered.pointer, taps, packed, outputs)
        } else {
            for group in 0..<groups {
                ck_pack(
                    depth, columns, ordered.pointer + group * columns * depth, 1, depth, packed + group * groupStride)
            }
        }
    }

    deinit {
        packed.deallocate()
        bias.deallocate()
    }
}
