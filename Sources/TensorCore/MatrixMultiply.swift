import CKernels
import COpenBLAS

/// What a packed product applies to its result while it is still in registers.
package enum PackedActivation: Sendable {
    case identity, gelu

    var kernel: ck_activation {
        switch self {
        case .identity: ck_identity
        case .gelu: ck_gelu_erf
        }
    }
}

/// A frozen matrix packed once for the kernels; multiplying by it never repacks. `Sendable`: nothing changes after `init`.
package final class PackedMatrix: @unchecked Sendable {
    // `@unchecked`: `panels` is written only in `init` and read afterwards.
    /// Rows of the right-hand matrix: the shared dimension.
    package let depth: Int
    package let columns: Int
    private let panels: UnsafeMutablePointer<Float>

    package var byteCount: Int { ck_packed_count(depth, columns) * MemoryLayout<Float>.stride }

    /// Packs the transposes of weights `[out, in]` side by side: multiplying `[rows, in]` gives `[rows, Σ out]`.
    package init(transposing weights: [Tensor]) {
        precondition(!weights.isEmpty && weights.allSatisfy { $0.rank == 2 && $0.shape[1] == weights[0].shape[1] })
        depth = weights[0].shape[1]
        columns = weights.reduce(0) { $0 + $1.shape[0] }
        let joined = Tensor(uninitialised: [columns, depth])
        var row = 0
        for weight in weights {
            joined.mutablePointer.advanced(by: row * depth).update(
                from: weight.contiguous().pointer, count: weight.count)
            row += weight.shape[0]
        }
        panels = .allocate(capacity: max(ck_packed_count(depth, columns), 1))
        ck_pack(depth, columns, joined.pointer, 1, depth, panels)
    }

    /// Packs weights `[out, in]` one upon the other: multiplying `[rows, Σ out]` gives `[rows, in]`, what a gradient does on its way
    /// back.
    package init(stacking weights: [Tensor]) {
        precondition(!weights.isEmpty && weights.allSatisfy { $0.rank == 2 && $0.shape[1] == weights[0].shape[1] })
        columns = weights[0].shape[1]
        depth = weights.reduce(0) { $0 + $1.shape[0] }
        panels = .allocate(capacity: max(ck_packed_count(depth, columns), 1))
        let joined = weights.count == 1 ? weights[0].contiguous() : Concatenate(axis: 0).apply(weights.map(\.detached))
        ck_pack(depth, columns, joined.pointer, columns, 1, panels)
    }

    deinit { panels.deallocate() }

    /// Multiply-adds that are worth waking a thread for: some ten microseconds.
    private static let leastOperations = 1 << 19

    /// `activation(x · W + bias)`: x `[rows, depth]` (rows may be strided) → `[rows, columns]`, the columns divided among the worker
    /// threads when they are free. A number's bits do not depend on where they are cut.
    ///
    /// - Parameter slope: where the activation's derivative goes, of the result's shape.
    package func multiply(
        _ x: Tensor, bias: Tensor? = nil, activation: PackedActivation = .identity, slope: Tensor? = nil
    ) -> Tensor {
        precondition(x.rank == 2 && x.shape[1] == depth, "packed product: \(x.shape) by [\(depth), \(columns)]")
        precondition(
            bias.map { $0.count == columns } ?? true, "packed product: bias \(bias?.shape ?? []) for \(columns) columns"
        )
        let input = x.step(along: 1) == 1 ? x : x.contiguous()
        let output = Tensor(uninitialised: [x.shape[0], columns])
        let rows = x.shape[0], count = (columns + ck_panel - 1) / ck_panel
        let grain = 1 + Self.leastOperations / max(rows * depth * ck_panel, 1)
        WorkerPool.shared.forFreeRanges(count, grain: grain) { range in
            let first = range.lowerBound * ck_panel
            var task = ck_product()
            (task.m, task.n, task.k) = (rows, min(range.upperBound * ck_panel, columns) - first, depth)
            (task.a, task.a_row, task.a_depth) = (input.pointer, max(input.step(along: 0), depth), 1)
            task.packed = UnsafePointer(panels + first * depth)
            task.bias = bias.map { $0.pointer + first }
            task.activation = activation.kernel
            (task.c, task.c_row, task.c_column) = (output.mutablePointer + first, columns, 1)
            task.slope = slope.map { $0.mutablePointer + first }
            ck_gemm_f32(&task)
        }
        return output
    }
}

/// `c = alpha · op(a) op(b) + beta · c` on one thread; row-major with leading dimensions. Sizes of zero are allowed.
func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, alpha: Float = 1, _ a: UnsafePointer<Float>,
    _ lda: Int,
    _ b: UnsafePointer<Float>, _ ldb: Int, beta: Float = 0, _ c: UnsafeMutablePointer<Float>, _ ldc: Int
) {
    if m == 0 || n == 0 { return }
    if k == 0 {
        for row in 0..<m {
            for column in 0..<n { c[row * ldc + column] = beta == 0 ? 0 : c[row * ldc + column] * beta }
        }
        return
    }
    cblas_sgemm(
        CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans, blasint(m),
        blasint(n),
        blasint(k), alpha, a, blasint(max(lda, 1)), b, blasint(max(ldb, 1)), beta, c, blasint(max(ldc, 1)))
}

/// `op(a) op(b)` → `[m, n]`, over the worker threads when that pays. The operands may be views.
func multiply(_ a: Tensor, transposeA: Bool = false, _ b: Tensor, transposeB: Bool = false) -> Tensor {
    precondition(a.rank == 2 && b.rank == 2, "matmul: \(a.shape) by \(b.shape)")
    let left = transposeA ? MatrixView(a).transposed : MatrixView(a)
    let right = transposeB ? MatrixView(b).transposed : MatrixView(b)
    precondition(
        left.columns == right.rows, "matmul: \(a.shape)\(transposeA ? "ᵀ" : "") by \(b.shape)\(transposeB ? "ᵀ" : "")")
    let c = Tensor(uninitialised: [left.rows, right.columns])
    product(left, right, into: c.mutablePointer, rowStride: right.columns)
    return c
}
