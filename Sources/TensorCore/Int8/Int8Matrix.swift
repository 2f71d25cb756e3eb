import CKernels

/// A frozen linear map in eight bits, `activation(x Wᵀ + b)`: weights `[out, in]` in steps of `max |w| / 127` of their output channel,
/// packed once for the kernels, biases in fp32. `Sendable`: nothing changes after `init`.
///
/// An inference type: the weights are not kept in any other form, and no gradient passes.
package final class Int8Matrix: @unchecked Sendable {
    // `@unchecked`: the memory is written only in `init` and read afterwards.
    package enum Activation: Sendable {
        case identity, gelu, relu

        fileprivate var kernel: ck_int8_activation {
            switch self {
            case .identity: ck_int8_identity
            case .gelu: ck_int8_gelu
            case .relu: ck_int8_relu
            }
        }
    }

    /// The shared dimension, and the longest one whose sums cannot overflow.
    package let depth: Int
    package static let longestDepth = ck_int8_longest
    package let columns: Int
    private let packed: UnsafeMutablePointer<Int8>
    private let scales: UnsafeMutablePointer<Float>
    private let sums: UnsafeMutablePointer<Int32>
    private let bias: UnsafeMutablePointer<Float>

    package var byteCount: Int { packedBytes + paddedColumns * 8 + columns * 4 }
    private var packedBytes: Int { ck_int8_packed_count(depth, columns) }
    private var paddedColumns: Int { (columns + ck_panel - 1) / ck_panel * ck_panel }

    /// Packs the transposes of weights `[out, in]` side by side, with biases `[out]`: x `[rows, in]` gives `[rows, Σ out]`.
    package init(transposing weights: [Tensor], biases: [Tensor]) {
        precondition(!weights.isEmpty && weights.allSatisfy { $0.rank == 2 && $0.shape[1] == weights[0].shape[1] })
        precondition(
            biases.count == weights.count && zip(weights, biases).allSatisfy { $0.shape[0] == $1.count },
            "int8 matrix: biases \(biases.map(\.shape)) for weights \(weights.map(\.shape))")
        let depth = weights[0].shape[1], columns = weights.reduce(0) { $0 + $1.shape[0] }
        precondition(depth <= Self.longestDepth, "int8 matrix: a shared dimension of \(depth)")
        self.depth = depth
        self.columns = columns
        let joined = Tensor(uninitialised: [columns, depth])
        bias = .allocate(capacity: columns)
        var row = 0
        for (weight, shift) in zip(weights, biases) {
            let weight = weight.contiguous(), shift = shift.contiguous()
            joined.mutablePointer.advanced(by: row * depth).update(from: weight.pointer, count: weight.count)
            (bias + row).initialize(from: shift.pointer, count: shift.count)
            row += weight.shape[0]
        }
        let padded = (columns + ck_panel - 1) / ck_panel * ck_panel
        // Whole cache lines: a vector of weights never lies across two.
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(ck_int8_packed_count(depth, columns), 1), alignment: 64)
        packed = bytes.assumingMemoryBound(to: Int8.self)
        scales = .allocate(capacity: padded)
        sums = .allocate(capacity: padded)
        ck_int8_pack(depth, columns, joined.pointer, depth, packed, scales, sums)
    }

    /// Multiply-adds that are worth waking a thread for: some ten microseconds.
    private static let leastOperations = 1 << 20

    deinit {
        UnsafeMutableRawPointer(packed).deallocate()
        scales.deallocate()
        sums.deallocate()
        bias.deallocate()
    }

    /// x `[rows, depth]` → `[rows, columns]`, the columns divided among the worker threads where that pays. A row's bits do not depend
    /// on the others, nor on the number of threads.
    package func multiply(_ x: QuantisedRows, activation: Activation = .identity) -> Tensor {
        precondition(x.columns == depth, "int8 product: [\(x.rows), \(x.columns)] by [\(depth), \(columns)]")
        let output = Tensor(uninitialised: [x.rows, columns])
        let panels = paddedColumns / ck_panel, grain = 1 + Self.leastOperations / max(x.rows * depth * ck_panel, 1)
        WorkerPool.shared.forFreeRanges(panels, grain: grain) { range in
            let first = range.lowerBound * ck_panel
            var product = ck_int8_product()
            (product.m, product.n, product.k) = (x.rows, min(range.upperBound * ck_panel, columns) - first, depth)
            (product.a, product.a_row) = (UnsafePointer(x.values), x.stride)
            (product.a_scale, product.a_zero) = (UnsafePointer(x.scales), UnsafePointer(x.zeros))
            product.packed = UnsafePointer(packed + packedBytes / panels * range.lowerBound)
            (product.b_scale, product.b_sum) = (UnsafePointer(scales + first), UnsafePointer(sums + first))
            (product.bias, product.activation) = (UnsafePointer(bias + first), activation.kernel)
            (product.c, product.c_row) = (output.mutablePointer + first, columns)
            ck_int8_gemm(&product)
        }
        return output
    }
}
